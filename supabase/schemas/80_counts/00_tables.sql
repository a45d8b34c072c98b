-- How many records, log entries, traces and sessions there are, by hour, so that a query can say how many match it without reading them
-- all. A projection: fold writes it.
create table public.counts (
  tenant_id uuid not null,
  list text not null,
  namespace_id bigint not null,
  label text,
  hour timestamptz,
  count bigint not null,
  constraint rows_of_a_list_label_and_hour_are_counted_once
    unique nulls not distinct (tenant_id, list, namespace_id, label, hour),
  constraint counted_list_is_known check (list in ('records', 'logs', 'root_traces', 'child_traces', 'sessions'))
);
comment on column public.counts.label is 'The agent of records and traces, the level of logs. Null: all of them, as always of sessions.';
comment on column public.counts.hour is 'When it begins. Null: all of them.';
alter table public.counts replica identity full; -- for replication: it has no primary key
