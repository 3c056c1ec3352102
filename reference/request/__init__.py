"""What a flags request says, whoever reads it: fields, where its caller runs, which flags it asks about (contract §2.2, §5.2).

Pure, and shared by the embedded service and by whoever evaluates in its place; decoding bytes and query is theirs.
"""
