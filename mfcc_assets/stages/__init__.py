"""What each stage of the pipeline does to a library, knowing nothing of who asked for it."""
