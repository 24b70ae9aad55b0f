"""Whether a PostgreSQL database that is being restored is what the backup's manifest says.

acr3d has tables and indexes only: anything else would run by itself, now or later. What an extension brought
along does not count. The check is a statement of the restoring transaction, so a refusal undoes everything.
"""

from __future__ import annotations

from acr3d.backup.errors import differing, not_ours
from acr3d.backup.manifest import Manifest

_REFUSED = "acr3d refuses: "
_CHECK = """
DO $check$
DECLARE ours CONSTANT oid := 'public'::regnamespace; odd text; one record; present bigint;
BEGIN
  SELECT what INTO odd FROM (
    SELECT 'trigger “' || tgname || '”' AS what, pg_trigger.tableoid AS kind, pg_trigger.oid
      FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
      WHERE NOT tgisinternal AND relnamespace = ours
    UNION ALL SELECT 'rule “' || rulename || '”', pg_rewrite.tableoid, pg_rewrite.oid
      FROM pg_rewrite JOIN pg_class ON pg_class.oid = ev_class
      WHERE relkind = 'r' AND relnamespace = ours
    UNION ALL SELECT 'view “' || relname || '”', tableoid, oid FROM pg_class
      WHERE relkind NOT IN ('r', 'i', 'S', 't') AND relnamespace = ours
    UNION ALL SELECT 'function “' || proname || '”', tableoid, oid FROM pg_proc WHERE pronamespace = ours
  ) AS found
  WHERE NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = kind AND objid = found.oid AND deptype = 'e'
  ) LIMIT 1;
  IF odd IS NOT NULL THEN RAISE EXCEPTION {not_ours}, odd; END IF;
  IF (SELECT version_num FROM public.alembic_version) IS DISTINCT FROM {revision} THEN
    RAISE EXCEPTION {other_revision};
  END IF;
  CREATE TEMPORARY TABLE told ON COMMIT DROP AS SELECT * FROM (VALUES {rows}) AS said (name, n);
  IF EXISTS (
    SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN (SELECT name FROM told)
  ) THEN RAISE EXCEPTION {other_rows}; END IF;
  FOR one IN SELECT * FROM told LOOP
    IF to_regclass(format('public.%I', one.name)) IS NULL THEN RAISE EXCEPTION {other_rows}; END IF;
    EXECUTE format('SELECT count(*) FROM public.%I', one.name) INTO present;
    IF present <> one.n THEN RAISE EXCEPTION {other_rows}; END IF;
  END LOOP;
END $check$
"""


def statement(manifest: Manifest) -> str:
    """A statement that fails unless the database is what `manifest`, whose names are valid, says."""
    return _CHECK.format(
        not_ours=_literal(f"{_REFUSED}{not_ours('%')}"),
        other_revision=_literal(f"{_REFUSED}{differing('revision')}"),
        other_rows=_literal(f"{_REFUSED}{differing('tables or rows')}"),
        revision=_literal(manifest.revision),
        rows=", ".join(f"({_literal(name)}, {count})" for name, count in manifest.rows.items()) or "('', 0)",
    )


def refusal_in(said: str) -> str | None:
    """The sentence of the statement's refusal in what psql said; None if that was something else."""
    _before, is_ours, sentence = said.partition(_REFUSED)
    return sentence.splitlines()[0] if is_ours else None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
