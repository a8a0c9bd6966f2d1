"""The pages of the library: lists, tracks, neighbours, playlists, paths, and its health."""
