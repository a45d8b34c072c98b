-- Everything that the schemas public and internal hold, one row an object: its name and what Postgres knows of it. Two
-- databases with the same rows behave alike. The order of columns is left out: nothing may rely on it.
-- Run with an empty search_path, so that Postgres writes out the schema of each name.

with
  namespaces as (
    select oid, nspname, nspowner, nspacl from pg_namespace where nspname in ('public', 'internal')
  ),
  relations as (
    select pg_class.*, pg_class.oid::regclass::text as name
    from pg_class join namespaces on namespaces.oid = pg_class.relnamespace
  ),
  objects (kind, name, class, id, column_number, owner, acl_kind, acl, definition) as (
    select 'schema', nspname, 'pg_namespace'::regclass, oid, 0, nspowner, 'n', nspacl, '{}'::jsonb
    from namespaces

    union all
    select
      case relkind when 'r' then 'table' when 'p' then 'table' when 'S' then 'sequence'
        when 'v' then 'view' when 'm' then 'materialized view' else 'relation' end,
      name, 'pg_class'::regclass, oid, 0, relowner, case relkind when 'S' then 's' else 'r' end, relacl,
      jsonb_build_object(
        'relation_kind', relkind,
        'persistence', relpersistence,
        'row_level_security', relrowsecurity,
        'row_level_security_is_forced', relforcerowsecurity,
        'replica_identity', relreplident,
        'options', array(select unnest(reloptions) order by 1),
        'toast_options', array(
          select unnest(toast.reloptions) from pg_class toast where toast.oid = relations.reltoastrelid order by 1),
        'partition_key', pg_get_partkeydef(oid),
        'partition_bound', pg_get_expr(relpartbound, oid),
        'parents', array(select inhparent::regclass::text from pg_inherits where inhrelid = oid order by 1),
        'view', case when relkind in ('v', 'm') then pg_get_viewdef(oid) end,
        'sequence', (
          select concat_ws(' ', format_type(seqtypid, null), seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle)
          from pg_sequence where seqrelid = oid))
    from relations where relkind in ('r', 'p', 'v', 'm', 'S', 'f')

    union all
    select
      'column', relations.name || '.' || quote_ident(attname), 'pg_class'::regclass, relations.oid, attnum,
      null, 'c', attacl,
      jsonb_build_object(
        'type', format_type(atttypid, atttypmod),
        'not_null', attnotnull,
        'default', pg_get_expr(adbin, adrelid),
        'identity', attidentity,
        'generated', attgenerated,
        'collation', nullif(attcollation, 0)::regcollation::text,
        'storage', attstorage,
        'compression', attcompression,
        'statistics', attstattarget,
        'options', array(select unnest(attoptions) order by 1))
    from relations
    join pg_attribute on attrelid = relations.oid and attnum > 0 and not attisdropped
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relkind in ('r', 'p', 'v', 'm', 'f', 'c')

    union all
    select
      'index', relations.name, 'pg_class'::regclass, relations.oid, 0, relowner, null, null,
      jsonb_build_object(
        'index', pg_get_indexdef(indexrelid),
        'is_valid', indisvalid,
        'is_clustered', indisclustered,
        'is_replica_identity', indisreplident)
    from relations join pg_index on indexrelid = relations.oid

    union all
    select
      'constraint', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text) || ' ' || conname,
      'pg_constraint'::regclass, pg_constraint.oid, 0, null, null, null,
      to_jsonb(pg_get_constraintdef(pg_constraint.oid))
    from pg_constraint join namespaces on namespaces.oid = connamespace

    union all
    select
      'trigger', relations.name || ' ' || tgname, 'pg_trigger'::regclass, pg_trigger.oid, 0, null, null, null,
      jsonb_build_object('trigger', pg_get_triggerdef(pg_trigger.oid), 'enabled', tgenabled)
    from pg_trigger join relations on relations.oid = tgrelid where not tgisinternal

    union all
    select
      'policy', relations.name || ' ' || polname, 'pg_policy'::regclass, pg_policy.oid, 0, null, null, null,
      to_jsonb(pg_policies)
    from pg_policy
    join relations on relations.oid = polrelid
    join pg_policies on schemaname = relnamespace::regnamespace::text and tablename = relname and policyname = polname

    union all
    select
      'rule', relations.name || ' ' || rulename, 'pg_rewrite'::regclass, pg_rewrite.oid, 0, null, null, null,
      jsonb_build_object('rule', pg_get_ruledef(pg_rewrite.oid), 'enabled', ev_enabled)
    from pg_rewrite join relations on relations.oid = ev_class where rulename <> '_RETURN'

    union all
    select
      'function', pg_proc.oid::regprocedure::text, 'pg_proc'::regclass, pg_proc.oid, 0, proowner, 'f', proacl,
      jsonb_build_object(
        'function', case when prokind <> 'a' then pg_get_functiondef(pg_proc.oid) end,
        'aggregate', (select to_jsonb(pg_aggregate) - 'aggfnoid' from pg_aggregate where aggfnoid = pg_proc.oid))
    from pg_proc join namespaces on namespaces.oid = pronamespace

    union all
    select
      'type', pg_type.oid::regtype::text, 'pg_type'::regclass, pg_type.oid, 0, typowner, 'T', typacl,
      jsonb_build_object(
        'type_kind', typtype,
        'labels', array(select enumlabel from pg_enum where enumtypid = pg_type.oid order by enumsortorder),
        'base', case when typtype = 'd' then format_type(typbasetype, typtypmod) end,
        'not_null', typnotnull,
        'default', typdefault,
        'range', (select rngsubtype::regtype::text from pg_range where rngtypid = pg_type.oid))
    from pg_type
    join namespaces on namespaces.oid = typnamespace
    left join pg_class on pg_class.oid = typrelid
    -- Not those that Postgres makes of each table, nor the arrays of each type.
    where typtype in ('e', 'd', 'r') or pg_class.relkind = 'c'

    union all
    select
      'statistics', nspname || '.' || stxname, 'pg_statistic_ext'::regclass, pg_statistic_ext.oid, 0, stxowner, null, null,
      jsonb_build_object('statistics', pg_get_statisticsobjdef(pg_statistic_ext.oid), 'target', stxstattarget)
    from pg_statistic_ext join namespaces on namespaces.oid = stxnamespace

    union all
    select
      'default privileges', nspname || ' ' || defaclobjtype::text || ' of ' || pg_get_userbyid(defaclrole),
      'pg_default_acl'::regclass, pg_default_acl.oid, 0, defaclrole, defaclobjtype::text, defaclacl, '{}'
    from pg_default_acl join namespaces on namespaces.oid = defaclnamespace
  )
select
  kind || ' ' || name as name,
  jsonb_build_object(
    'definition', definition,
    'owner', pg_get_userbyid(owner),
    'comment', (
      select description from pg_description
      where classoid = class and objoid = id and objsubid = column_number),
    'grants', array(
      select
        concat_ws(' ', coalesce(pg_roles.rolname, 'public'), lower(privilege_type),
          case when is_grantable then 'with grant option' end)
      -- Where nothing was granted or revoked, Postgres has null, which means what acldefault says.
      from aclexplode(coalesce(acl, acldefault(acl_kind::"char", owner)))
      left join pg_roles on pg_roles.oid = grantee
      order by 1)) as definition
from objects
