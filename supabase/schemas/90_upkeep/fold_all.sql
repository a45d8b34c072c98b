-- Folds what nobody has read yet, of all tenants, for about half a second: a tenant's readers wait for the transaction in which
-- its changes are folded. The schedule comes back for the rest. Returns {folded: how many tenants have nothing left}.
create function public.fold_all(payload jsonb default '{}') returns jsonb
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  owner_id uuid := '00000000-0000-0000-0000-000000000000';
  folded integer := 0;
  ends timestamptz := clock_timestamp() + interval '0.5 seconds';
begin
  -- One schedule at a time: two of them could wait for each other's tenants in a circle.
  if not pg_try_advisory_xact_lock(hashtextextended('fold_all', 0)) then return '{"folded": 0}'; end if;
  loop
    owner_id := least(
      (select changes.tenant_id from public.changes where changes.tenant_id > owner_id order by 1 limit 1),
      (select rebuilds.tenant_id from public.rebuilds where rebuilds.tenant_id > owner_id order by 1 limit 1));
    exit when owner_id is null;
    loop
      if internal.fold(owner_id, 2000) then
        folded := folded + 1;
        exit;
      end if;
      exit when clock_timestamp() > ends;
    end loop;
    exit when clock_timestamp() > ends;
  end loop;
  return jsonb_build_object('folded', folded);
end $$;
