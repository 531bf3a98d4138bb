"""What advisers did about students, kept as events of our own."""
