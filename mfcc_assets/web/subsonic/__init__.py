"""The API OpenSubsonic, by which music players use the library: browse, search, play, and what sounds alike."""
