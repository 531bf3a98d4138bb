"""What operators look at beside the answers: what was rejected, who sends, and pages of other tools."""
