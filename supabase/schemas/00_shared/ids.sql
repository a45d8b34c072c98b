-- Ids that clients see.

-- A random id: the prefix and 16 letters and digits.
create function internal.new_public_id(prefix text) returns text
language plpgsql volatile set search_path = '' as $$
begin
  return internal.public_id(new_public_id.prefix, gen_random_uuid()::text);
end $$;

-- The id that is made of a text: the same text always gives the same id, so that a rebuild does not rename anything.
create function internal.public_id(prefix text, made_of text) returns text
language plpgsql immutable set search_path = '' as $$
begin
  return public_id.prefix || left(translate(
    encode(sha256(convert_to(public_id.made_of, 'UTF8')), 'base64'), E'+/=\n', ''), 16);
end $$;
