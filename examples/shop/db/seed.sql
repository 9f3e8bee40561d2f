-- Runs after every migration run. Never touches a product that is there already.
insert into products (id, sku, name, description, picture, price_cents, stock)
values
  (1, 'TEA-GREEN', 'Green tea', 'Sencha from Shizuoka, first harvest, 100 g', '🍵', 1290, 40),
  (2, 'BREAD-RYE', 'Rye bread', 'Sourdough, baked this morning, 750 g', '🍞', 450, 25),
  (3, 'HONEY-LIME', 'Lime honey', 'From six hives behind the railway station', '🍯', 890, 30),
  (4, 'CHEESE-ALP', 'Alpine cheese', 'Raw milk, aged for eleven months, 250 g', '🧀', 720, 18),
  (5, 'OIL-OLIVE', 'Olive oil', 'Cold pressed, unfiltered, half a litre', '🫒', 1650, 22),
  (6, 'CHOC-DARK', 'Dark chocolate', '78 % cocoa and a little sea salt', '🍫', 520, 60),
  (7, 'MUG-BLUE', 'Blue mug', 'Stoneware, holds three espressos or one tea', '☕', 1890, 12),
  (8, 'BOOK-1960', 'Second-hand novel', 'We choose, you are surprised. Only one left', '📕', 400, 1)
on conflict (id) do nothing;
