"""What the player asks the server for, beside the audio itself."""
