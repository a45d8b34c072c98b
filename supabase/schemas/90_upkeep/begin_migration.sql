-- The first statement of each migration but the first. Returns when no request and no fold is running, and holds new ones until
-- the migration commits: they wait before they have touched anything, so neither side can be the other's deadlock.
create function internal.begin_migration() returns void
language plpgsql set search_path = '' as $$
begin
  -- Every request reads its token first.
  lock table public.tracer_tokens in access exclusive mode;
  -- Every fold that no request makes reads the changes first.
  lock table public.changes in access exclusive mode;
end $$;
