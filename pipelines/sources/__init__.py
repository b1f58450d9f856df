"""Where conversations and articles come from: help desks, databases, files and folders of articles; one file each."""
