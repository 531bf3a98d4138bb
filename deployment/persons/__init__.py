"""What the platform does with what it holds about a person: erase it, hand it out, drop it when its time is over."""
