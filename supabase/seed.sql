-- Something to look at in an empty database: a tenant with one namespace. It has no token, since a token in a file is no
-- secret: `npm run token -- create --tenant demo` makes one. Running this again changes nothing.

insert into public.tenants (name) values ('demo') on conflict do nothing;

insert into public.namespaces (tenant_id, name)
select tenants.id, 'my-agent' from public.tenants where tenants.name = 'demo'
on conflict do nothing;
