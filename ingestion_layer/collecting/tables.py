"""The tables of the collector's own disk."""

TABLES = (
    # What senders' documents were mapped in which order, since the newest memory: with it a start goes on as before.
    """CREATE TABLE IF NOT EXISTS mapped (
        place INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, standard TEXT NOT NULL, document BLOB NOT NULL
    )""",
    """CREATE TABLE IF NOT EXISTS memories (
        source TEXT NOT NULL, standard TEXT NOT NULL, memory BLOB NOT NULL, PRIMARY KEY (source, standard)
    ) WITHOUT ROWID""",
    # Documents that were taken, by a hash of each, for as long as Kafka's readers know duplicates.
    """CREATE TABLE IF NOT EXISTS taken (
        source TEXT NOT NULL, digest BLOB NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (source, digest)
    ) WITHOUT ROWID""",
    # The version of the tombstones whose people nothing here names any more.
    "CREATE TABLE IF NOT EXISTS erased (one INTEGER PRIMARY KEY CHECK (one = 1), version TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS taken_by_day ON taken (day)",
    """CREATE TABLE IF NOT EXISTS statements (
        place INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, id TEXT NOT NULL, stored TEXT NOT NULL,
        verb TEXT NOT NULL, registration TEXT, refers TEXT, voided INTEGER NOT NULL DEFAULT 0, statement BLOB NOT NULL,
        UNIQUE (source, id)
    )""",
    "CREATE INDEX IF NOT EXISTS statements_by_time ON statements (source, stored)",
    "CREATE INDEX IF NOT EXISTS statements_by_reference ON statements (source, refers)",
    """CREATE TABLE IF NOT EXISTS mentions (
        source TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL,
        PRIMARY KEY (source, kind, name, place)
    ) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS attachments (
        source TEXT NOT NULL, sha2 TEXT NOT NULL, type TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (source, sha2)
    )""",
    """CREATE TABLE IF NOT EXISTS documents (
        source TEXT NOT NULL, kind TEXT NOT NULL, owner TEXT NOT NULL, agent TEXT NOT NULL, registration TEXT NOT NULL,
        id TEXT NOT NULL, type TEXT NOT NULL, etag TEXT NOT NULL, updated TEXT NOT NULL, content BLOB NOT NULL,
        PRIMARY KEY (source, kind, owner, agent, registration, id)
    )""",
)
