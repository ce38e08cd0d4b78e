-- Training on a file larger than the memory allowed: float32 rows in a .npy, mapped, against
-- the same rows read into memory. Each run is a process of its own; the rounds are interleaved. The
-- mapped runs have a cap on their own memory of half the file (RLIMIT_DATA, which does not count a
-- file's pages); that the cap holds is shown by reading the rows under it, which must fail.
--
--   nnlua bench/larger_than_memory.lua [rows=200000] [columns=256] [rounds=5]

local nn = require "nnlua"
local clock = nn.core.sys.clock

local options = {rows = 200000, columns = 256, rounds = 5}
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

-- One run in this process: seconds of an epoch, the loss, own memory.
local function run(how, folder)
  local mmap = how == "mapped"
  local x = nn.data.npy(folder .. "/x.npy", {mmap = mmap})
  local y = nn.data.npy(folder .. "/y.npy")
  local m = model_of(x.shape[2])
  local t = clock()
  local h = m:fit{x, y, batch_size = 128, epochs = 1, verbose = 0}
  print(("%.6f %.9g %.1f"):format(clock() - t, h.history.loss[1], own_megabytes()))
end

if arg[1] == "run" then return run(arg[2], arg[3]) end

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

local folder = os.tmpname()
os.remove(folder)
nn.core.sys.mkdir(folder)
write_rows(folder .. "/x.npy")
nn.data.save_npy(folder .. "/y.npy", nn.random.normal{{options.rows, 1}, seed = 2})

local megabytes = options.rows * options.columns * 4 / 2 ^ 20
local cap = math.floor(megabytes / 2)

local function start(how)
  local limit = how ~= "memory" and ("ulimit -d %d; "):format(cap * 1024) or ""
  local command = ("%s'%s' '%s' run %s '%s' 2>&1"):format(limit, arg[-1], arg[0],
    how == "mapped" and "mapped" or "memory", folder)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  local seconds, loss, own = text:match "^(%S+) (%S+) (%S+)\n$"
  if not seconds then return nil, text end
  return {seconds = tonumber(seconds), loss = loss, own = tonumber(own)}
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local seconds, last = {memory = {}, mapped = {}}, {}
for _ = 1, options.rounds do
  for how, list in pairs(seconds) do
    last[how] = assert(start(how))
    list[#list + 1] = last[how].seconds
  end
end

print(("%d rows of %d columns, %.0f MB; the cap is %d MB; %d rounds"):format(options.rows,
  options.columns, megabytes, cap, options.rounds))
local _, why = start "memory under the cap"
print("reading under the cap: " .. (why and why:match "[^\n]*memory[^\n]*" or "worked"))
for _, how in ipairs {"memory", "mapped"} do
  print(("%-7s %.3f s an epoch (median), loss %s, %.0f MB of its own"):format(how,
    median(seconds[how]), last[how].loss, last[how].own))
end
print(("mapped costs %+.1f %%"):format(
  (median(seconds.mapped) / median(seconds.memory) - 1) * 100))
assert(last.memory.loss == last.mapped.loss, "the losses differ")

for _, name in ipairs(nn.core.sys.listdir(folder)) do os.remove(folder .. "/" .. name) end
os.remove(folder)
