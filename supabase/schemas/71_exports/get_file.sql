-- GET /files/{file_id}. payload.file_id. data: the trace, as in get_trace.
create function public.get_file(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.folded(public.admit(get_file.payload));
begin
  return internal.trace_answer(internal.with_file(admission, get_file.payload ->> 'file_id'));
end $$;

-- with_trace, for a file: that of a trace with steps. Its id is the trace's with `file_` in front.
create function internal.with_file(admission jsonb, file_id text) returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  found_trace jsonb := internal.with_trace(admission, substr(with_file.file_id, 6));
begin
  if admission ? 'error' then return admission; end if;
  if with_file.file_id like 'file\_%' and exists (
    select from public.traces
    where traces.tenant_id = (admission ->> 'tenant_id')::uuid and traces.trace_id = found_trace ->> 'trace_id'
      and traces.step_count > 0) then
    return found_trace;
  end if;
  return admission || internal.refusal('not_found', 'There is no such file.');
end $$;
