-- Each tenant's anonymization rules. The redaction itself is the API's: its regular expressions (RE2) take linear time, those
-- of Postgres may not.
create table public.anonymization_rules (
  tenant_id uuid primary key references public.tenants (id) on delete cascade,
  version integer not null default 1,
  rules jsonb not null,
  updated_at timestamptz not null default now(),
  constraint anonymization_version_is_positive check (version > 0),
  constraint anonymization_rules_have_toggles_and_custom_ones
    check (jsonb_typeof(rules -> 'toggles') = 'object' and jsonb_typeof(rules -> 'custom') = 'array')
);
comment on column public.anonymization_rules.rules is '{toggles: {class: boolean}, custom: [{name, pattern, replacement}]}';
