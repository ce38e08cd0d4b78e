-- make bench: one JSON line for each workload, and a table. W1 W2 W3 W4 train; I1 is inference of
-- W2's model; S1 is a process from start to its first completed step.
--
--   nnlua bench/run.lua [W1 W2 ...] [rounds=3]

package.path = "./?.lua;" .. package.path
local core = require "nnlua.core"
local workloads = require "bench.workloads"

local clock = core.sys.clock
local wanted, rounds = {}, 3
for _, a in ipairs(arg) do
  rounds = math.tointeger(tonumber(a:match "^rounds=(%d+)$")) or rounds
  if a:find "^%u%d$" then wanted[#wanted + 1] = a end
end
if #wanted == 0 then wanted = {"W1", "W2", "W3", "W4", "I1", "S1"} end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

local function peak_megabytes()
  local file = io.open("/proc/self/status")
  if not file then return nil end
  local kb = file:read("a"):match "VmHWM:%s*(%d+)"
  file:close()
  return kb and tonumber(kb) / 1024
end

local function train(name)
  local model, x, y, w = workloads.make(name)
  local steps = math.ceil(w.rows / w.batch) * w.epochs
  local seconds, loss = {}, nil
  model:fit{x, y, batch_size = w.batch, epochs = 1, verbose = 0, shuffle = true} -- warm
  for i = 1, rounds do
    local t = clock()
    local h = model:fit{x, y, batch_size = w.batch, epochs = w.epochs, verbose = 0, shuffle = true}
    seconds[i] = clock() - t
    loss = h.history.loss[#h.history.loss]
  end
  local least = math.min(table.unpack(seconds))
  local middle = median(seconds)
  return {workload = name, epoch_seconds = middle / w.epochs, epoch_seconds_min = least / w.epochs,
    step_microseconds = middle / steps * 1e6,
    gflops = w.flops_a_row * w.rows * w.epochs / middle / 1e9, final_loss = loss,
    peak_megabytes = peak_megabytes()}
end

local function percentile(list, p)
  table.sort(list)
  return list[math.max(1, math.ceil(#list * p))]
end

local function inference()
  local model, x = workloads.make "W2"
  local one, many = core.view(x, {{1, 1}}), core.astype(core.view(x, {{1, 1024}}))
  one = core.astype(one)
  local times = {}
  for i = 1, 2000 do
    local t = clock()
    model:predict_on_batch(one)
    times[i] = (clock() - t) * 1e6
  end
  local rate = {}
  for i = 1, 5 + rounds do
    local t = clock()
    model:predict_on_batch(many)
    rate[i] = 1024 / (clock() - t)
  end
  return {workload = "I1", batch1_p50_microseconds = percentile(times, 0.5),
    batch1_p99_microseconds = percentile(times, 0.99), batch1024_rows_a_second = median(rate)}
end

local function startup()
  local script = os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write [[
local nn = require "nnlua"
local model = nn.Sequential{nn.Input{shape = {39}}, nn.layers.Dense{5, activation = "relu"},
  nn.layers.Dense{5, activation = "relu"}, nn.layers.Dense{2, activation = "softmax"}}
model:compile{optimizer = "adam", loss = "categorical_crossentropy", metrics = {"accuracy"}}
model:train_on_batch(nn.zeros{32, 39}, nn.ones{32, 2})
]]
  file:close()
  local command = ("'%s' %s"):format(arg[-1], script)
  local seconds, bare = {}, {}
  for i = 1, 10 + rounds do
    local t = clock()
    os.execute(command)
    seconds[i] = (clock() - t) * 1000
    t = clock()
    os.execute(("'%s' -e ''"):format(arg[-1]))
    bare[i] = (clock() - t) * 1000
  end
  os.remove(script)
  return {workload = "S1", first_step_milliseconds = median(seconds),
    empty_script_milliseconds = median(bare)}
end

local runs = {I1 = inference, S1 = startup}
local results = {}
for _, name in ipairs(wanted) do
  local r = (runs[name] or function() return train(name) end)()
  results[#results + 1] = r
  print(core.json.encode(r))
  io.stdout:flush()
end

print(("\n%-4s %14s %12s %10s %12s %8s"):format("", "ms an epoch", "us a step", "GFLOP/s",
  "final loss", "MB"))
for _, r in ipairs(results) do
  if r.step_microseconds then
    print(("%-4s %14.3f %12.2f %10.1f %12.5f %8.1f"):format(r.workload, r.epoch_seconds * 1000,
      r.step_microseconds, r.gflops, r.final_loss, r.peak_megabytes or 0))
  elseif r.workload == "I1" then
    print(("I1   batch 1: p50 %.1f us, p99 %.1f us; batch 1024: %.0f rows/s"):format(
      r.batch1_p50_microseconds, r.batch1_p99_microseconds, r.batch1024_rows_a_second))
  else
    print(("S1   %.2f ms to the first step, %.2f ms for an empty script"):format(
      r.first_step_milliseconds, r.empty_script_milliseconds))
  end
end
