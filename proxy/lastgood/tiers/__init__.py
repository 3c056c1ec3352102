"""What is remembered beyond one worker's memory: sealed before it leaves the process, checked when it comes back."""
