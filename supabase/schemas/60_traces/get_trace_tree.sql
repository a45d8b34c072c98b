-- GET /traces/{trace_id}/tree. payload.trace_id: any trace of the tree. data: {traces: [trace_views]}, all of the tree that the
-- token may see, in order of creation, its root among them. The API makes the tree of the list.
create function public.get_trace_tree(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.folded(public.admit(get_trace_tree.payload));
  owner_id uuid := admission ->> 'tenant_id';
  usable text[] := internal.usable_namespaces(admission);
  kept jsonb := internal.kept(owner_id);
begin
  admission := internal.with_trace(admission, get_trace_tree.payload ->> 'trace_id');
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', jsonb_build_object('traces', internal.trace_views(owner_id, usable,
    internal.traces_below(owner_id, usable, kept, internal.root_of(owner_id, usable, kept, admission ->> 'trace_id')))));
end $$;

-- The highest trace on the way up from this one that the token may see.
create function internal.root_of(owner_id uuid, usable text[], kept jsonb, trace_id text) returns text
language plpgsql stable set search_path = '' as $$
declare
  here text := root_of.trace_id;
  above text;
begin
  loop
    select seen.parent_trace_id into above from internal.seen_trace(owner_id, usable, kept, here) as seen;
    if above is null then return here; end if;
    here := above;
  end loop;
end $$;

-- A trace and all below it that the token may see, in order of creation.
create function internal.traces_below(owner_id uuid, usable text[], kept jsonb, trace_id text) returns text[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    with recursive below as (
      select traces.trace_id, traces.created_at from public.traces
      where traces.tenant_id = owner_id and traces.trace_id = traces_below.trace_id
      union all
      select child.trace_id, child.created_at
      from below cross join lateral (
        select traces.trace_id, traces.created_at from public.traces
        where traces.tenant_id = owner_id and traces.parent_trace_id = below.trace_id
          and (usable is null and kept is null or internal.is_seen(usable, kept, traces))
        offset 0
      ) as child
    )
    select below.trace_id from below order by below.created_at, below.trace_id);
end $$;
