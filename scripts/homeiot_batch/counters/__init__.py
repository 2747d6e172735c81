"""What counters counted, by the rules of docs/explanation/what-a-kwh-is.md."""
