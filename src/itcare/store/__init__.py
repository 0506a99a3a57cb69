"""The engine's own database: tables, migrations, connections and the body store."""
