-- Training on a file larger than the memory allowed: float32 rows in a .npy, mapped, against the
-- same rows read into memory. Each run is a process of its own; the rounds are interleaved. The
-- mapped runs have a cap on their own memory of half the file (RLIMIT_DATA, which does not count a
-- file's pages); that the cap holds is shown by reading the rows under it, which must fail.
--
-- The same for a CSV file of a part of the rows: csv_dataset against these rows in memory. The
-- first epoch parses, the later ones find the portions put aside.
--
--   nnlua bench/larger_than_memory.lua [rows=200000] [columns=256] [csv=50000] [rounds=5]

local nn = require "nnlua"
local clock = nn.core.sys.clock

local options = {rows = 200000, columns = 256, csv = 50000, rounds = 5}
for _, a in ipairs(arg) do
  local key, v = a:match "^(%w+)=(%d+)$"
  if key then options[key] = math.tointeger(tonumber(v)) end
end

-- Anonymous memory in MB: what is not pages of a file.
local function own_megabytes()
  local file = io.open "/proc/self/status"
  if not file then return 0 end
  local kb = file:read("a"):match "RssAnon:%s*(%d+)"
  file:close()
  return tonumber(kb or 0) / 1024
end

local function model_of(columns)
  nn.set_random_seed(1)
  local m = nn.Sequential{
    nn.layers.Dense{128, activation = "relu", input_shape = {columns}},
    nn.layers.Dense{64, activation = "relu"},
    nn.layers.Dense{1},
  }
  m:compile{optimizer = "adam", loss = "mse"}
  return m
end

local EPOCHS = 4

-- The arguments of fit and the columns of x.
local function data_of(how, folder, rows)
  if how == "csv" then
    return {nn.data.csv_dataset{folder .. "/x.csv", batch_size = 128, label = "y", portion = 4096}}
  end
  local x = nn.data.npy(folder .. "/x.npy", {mmap = how == "mapped"})
  local y = nn.data.npy(folder .. "/y.npy")
  if how == "part" then
    return {x:slice{{1, rows}}, y:slice{{1, rows}}, batch_size = 128, shuffle = false}
  end
  return {x, y, batch_size = 128}
end

-- One run in this process: seconds of the first epoch and of a later one (the fastest), the loss,
-- own memory.
local function run(how, folder, columns, rows)
  local a = data_of(how, folder, math.tointeger(tonumber(rows)))
  local m = model_of(math.tointeger(tonumber(columns)))
  local times, t = {}, clock()
  a.epochs, a.verbose = how == "part" and EPOCHS or how == "csv" and EPOCHS or 1, 0
  a.callbacks = {{on_epoch_end = function()
    times[#times + 1] = clock() - t
    t = clock()
  end}}
  local h = m:fit(a)
  local later = math.min(math.huge, table.unpack(times, 2))
  print(("%.6f %.6f %.9g %.1f"):format(times[1], later, h.history.loss[1], own_megabytes()))
end

if arg[1] == "run" then return run(arg[2], arg[3], arg[4], arg[5]) end

-- The file is written in pieces, so that this process stays small too.
local function write_rows(path)
  local file = assert(io.open(path, "wb"))
  local head = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }"):format(
    options.rows, options.columns)
  head = head .. (" "):rep(-(#head + 11) % 64) .. "\n"
  file:write("\x93NUMPY\1\0", string.pack("<I2", #head), head)
  for from = 1, options.rows, 1000 do
    local n = math.min(1000, options.rows - from + 1)
    file:write(nn.core.tobytes(nn.core.rng.normal({n, options.columns}, 0, 1, 7, 0, from)))
  end
  file:close()
end

-- The first rows as text, nine digits each as a float has.
local function write_csv(folder)
  local x, y = nn.data.npy(folder .. "/x.npy", {mmap = true}), nn.data.npy(folder .. "/y.npy")
  local file = assert(io.open(folder .. "/x.csv", "w"))
  for k = 1, options.columns do file:write("c", k, ",") end
  file:write "y\n"
  for from = 1, options.csv, 1000 do
    local to = math.min(from + 999, options.csv)
    local labels = y:slice{{from, to}}:totable()
    for i, row in ipairs(x:slice{{from, to}}:totable()) do
      for k, v in ipairs(row) do row[k] = ("%.9g"):format(v) end
      file:write(table.concat(row, ","), ",", ("%.9g"):format(labels[i][1]), "\n")
    end
  end
  file:close()
end

local folder = os.tmpname()
os.remove(folder)
nn.core.sys.mkdir(folder)
write_rows(folder .. "/x.npy")
nn.data.save_npy(folder .. "/y.npy", nn.random.normal{{options.rows, 1}, seed = 2})
options.csv = math.min(options.csv, options.rows)
write_csv(folder)

local megabytes = options.rows * options.columns * 4 / 2 ^ 20
local cap = math.floor(megabytes / 2)

local function start(how, capped)
  local limit = capped and ("ulimit -d %d; "):format(cap * 1024) or ""
  local command = ("%s'%s' '%s' run %s '%s' %d %d 2>&1"):format(limit, arg[-1], arg[0], how, folder,
    options.columns, options.csv)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  local first, later, loss, own = text:match "^(%S+) (%S+) (%S+) (%S+)\n$"
  if not first then return nil, text end
  return {first = tonumber(first), later = tonumber(later), loss = loss, own = tonumber(own)}
end

local function median(list, key)
  local values = {}
  for i, one in ipairs(list) do values[i] = one[key] end
  table.sort(values)
  return values[(#values + 1) // 2]
end

local kinds = {"memory", "mapped", "part", "csv"}
local results = {}
for _, how in ipairs(kinds) do results[how] = {} end
for _ = 1, options.rounds do
  for _, how in ipairs(kinds) do
    table.insert(results[how], (assert(start(how, how == "mapped" or how == "csv"))))
  end
end

local function tell(how, what, key)
  print(("%-34s %.3f s (median), loss %s, %.0f MB of its own"):format(what,
    median(results[how], key), results[how][1].loss, results[how][1].own))
end

local function costs(what, how, key, other, other_key)
  print(("%s costs %+.1f %%"):format(what,
    (median(results[how], key) / median(results[other], other_key) - 1) * 100))
end

print(("%d rows of %d columns, %.0f MB; the cap is %d MB; %d rounds"):format(options.rows,
  options.columns, megabytes, cap, options.rounds))
local _, why = start("memory", true)
print("reading under the cap: " .. (why and why:match "[^\n]*memory[^\n]*" or "worked"))
tell("memory", "an epoch in memory", "first")
tell("mapped", "an epoch mapped, under the cap", "first")
costs("mapped", "mapped", "first", "memory", "first")
print(("%d rows as CSV, %.0f MB"):format(options.csv,
  assert(io.open(folder .. "/x.csv")):seek "end" / 2 ^ 20))
tell("part", "these rows in memory, an epoch", "later")
tell("csv", "csv_dataset, the first epoch", "first")
tell("csv", "csv_dataset, a later epoch", "later")
costs("the first epoch", "csv", "first", "part", "later")
costs("a later one", "csv", "later", "part", "later")
assert(results.memory[1].loss == results.mapped[1].loss, "the losses differ")
assert(math.abs(results.part[1].loss - results.csv[1].loss) < 1e-6, "the losses differ")

for _, name in ipairs(nn.core.sys.listdir(folder)) do os.remove(folder .. "/" .. name) end
os.remove(folder)
