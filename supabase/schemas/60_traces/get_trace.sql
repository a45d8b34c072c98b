-- GET /traces/{trace_id}. payload.trace_id. data: the trace.
create function public.get_trace(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare -- folded by a statement of its own: only the next one sees what was folded
  admission jsonb := internal.folded(public.admit(get_trace.payload));
begin
  return internal.trace_answer(internal.with_trace(admission, get_trace.payload ->> 'trace_id'));
end $$;

-- admit, for a request about one trace: adds {trace_id}, or refuses not_found. One of another tenant, in a namespace that the token
-- may not use, or kept no longer looks like one that never was.
create function internal.with_trace(admission jsonb, trace_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  owner_id uuid := admission ->> 'tenant_id';
begin
  if admission ? 'error' then return admission; end if;
  if not exists (
    select from internal.seen_trace(
      owner_id, internal.usable_namespaces(admission), internal.kept(owner_id), with_trace.trace_id)) then
    return admission || internal.refusal('not_found', 'There is no such trace.');
  end if;
  return admission || jsonb_build_object('trace_id', with_trace.trace_id);
end $$;

-- What with_trace has found as the answer, unless it has refused. data: the trace.
create function internal.trace_answer(admission jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if admission ? 'error' then return admission; end if;
  return admission || jsonb_build_object('data', internal.trace_views(
    (admission ->> 'tenant_id')::uuid, internal.usable_namespaces(admission), array[admission ->> 'trace_id']) -> 0);
end $$;
