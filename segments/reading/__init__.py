"""Reading a source: preview, count and stream of Arrow batches; read-only, timed, in bounded memory."""
