"""What a listener does with an upload: send it, watch it, see and hear its answer, share it, delete it."""
