create table products (
  id integer primary key,
  sku text not null unique,
  name text not null,
  description text not null,
  picture text not null,
  price_cents integer not null check (price_cents > 0),
  stock integer not null check (stock >= 0)
) strict;
