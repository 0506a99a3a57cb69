# Private to the collection: its shape may change in any release.
