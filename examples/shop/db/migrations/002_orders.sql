create table orders (
  id integer primary key autoincrement,
  -- The Idempotency-Key of the request that placed the order, if it had one.
  request_key text unique,
  customer text not null,
  email text not null,
  status text not null default 'pending'
    check (status in ('pending', 'paid', 'shipped')),
  total_cents integer not null check (total_cents >= 0),
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) strict;

create index orders_by_status on orders (status, updated_at);

create table order_items (
  order_id integer not null references orders (id) on delete cascade,
  product_id integer not null references products (id),
  quantity integer not null check (quantity > 0),
  unit_price_cents integer not null check (unit_price_cents > 0),
  primary key (order_id, product_id)
) strict, without rowid;
