create table public.namespaces (
  id bigint generated always as identity primary key,
  tenant_id uuid not null references public.tenants (id) on delete cascade,
  name text not null,
  public_id text not null default internal.new_public_id('proj_'),
  created_at timestamptz not null default now(),
  constraint namespace_name_is_unique_within_its_tenant unique (tenant_id, name),
  constraint namespace_id_names_its_tenant unique (tenant_id, id),
  constraint namespace_public_id_is_unique_within_its_tenant unique (tenant_id, public_id),
  constraint namespace_name_is_not_empty check (name <> '')
);
comment on table public.namespaces is 'Parts of a tenant''s data. A token may be bound to some of them.';
comment on column public.namespaces.public_id is 'What the SOAT API calls a project_id.';
