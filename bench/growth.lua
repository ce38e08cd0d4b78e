-- make bench-growth: how the time of a training step grows with batch, width, depth, rows and
-- threads. Each sweep changes one of them; theory says that a step costs a + b * work, with `work`
-- the multiplications (or the rows), so a straight line is fitted to every sweep and printed beside
-- it: where the measurement leaves the line, something else begins (a cache ends, threads start).
--
--   nnlua bench/growth.lua FOLDER [quick] [sweep ...]
--
-- Writes FOLDER/growth.json, FOLDER/growth.md and, with gnuplot, FOLDER/SWEEP.png.

local nn = require "nnlua"
local core = require "nnlua.core"

local clock = core.sys.clock
local folder = assert(arg[1], "growth.lua: which folder?")
local quick, wanted = false, {}
for i = 2, #arg do
  if arg[i] == "quick" then quick = true else wanted[arg[i]] = true end
end

local ROUNDS, SECONDS = quick and 1 or 5, quick and 0.005 or 0.06

-- Measuring --------------------------------------------------------------------------------------

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

local function build(c)
  nn.set_random_seed(1)
  local layers = {nn.Input{shape = {c.columns}}}
  for _, w in ipairs(c.widths) do layers[#layers + 1] = nn.layers.Dense{w, activation = "relu"} end
  layers[#layers + 1] = nn.layers.Dense{c.classes, activation = "softmax"}
  local model = nn.Sequential(layers)
  model:compile{optimizer = "adam", loss = "sparse_categorical_crossentropy",
    metrics = {"accuracy"}}
  return model
end

local function all_widths(c)
  local list = table.move(c.widths, 1, #c.widths, 1, {})
  list[#list + 1] = c.classes
  return list
end

-- Multiplications (times two) of a step.
local function flops(c)
  local total, from = 0, c.columns
  for i, w in ipairs(all_widths(c)) do
    total = total + 2 * from * w * (i == 1 and 2 or 3) * c.batch
    from = w
  end
  return total
end

local function data(c, rows)
  return core.rng.normal({rows, c.columns}, 0, 1, 7, 1, 0),
    core.rng.randint({rows}, 0, c.classes, 7, 2, 0)
end

local NUMBERS = 1024 * 1024 -- of the data, where the rows are not what is swept: few megabytes

-- Seconds of a step: the median of ROUNDS times as many epochs as take SECONDS.
local function step_seconds(c)
  if c.threads then nn.config.set_num_threads(c.threads) end
  local model = build(c)
  local x, y = data(c, c.rows or math.max(c.batch * 4, NUMBERS // c.columns))
  local function seconds(epochs)
    local t = clock()
    model:fit{x, y, batch_size = c.batch, epochs = epochs, verbose = 0}
    return (clock() - t) / epochs
  end
  seconds(1)
  local epochs = math.ceil(SECONDS / seconds(1))
  local steps = math.ceil(x.shape[1] / c.batch)
  local times = {}
  for i = 1, ROUNDS do times[i] = seconds(epochs) / steps end
  nn.config.set_num_threads(0)
  return median(times), steps
end

-- Sweeps: what changes (x), its points, the case of each point and what theory calls work ---------

local function powers(first, last, factor)
  local list = {}
  while first <= last do
    list[#list + 1] = first
    first = first * (factor or 2)
  end
  return list
end

local function fill(width, n)
  local list = {}
  for i = 1, n do list[i] = width end
  return list
end

local SMALL = {columns = 39, widths = {5, 5}, classes = 2, batch = 32}
local LARGE = {columns = 784, widths = {512, 512}, classes = 10, batch = 128}

local function with(c, changes)
  local copy = {}
  for k, v in pairs(c) do copy[k] = v end
  for k, v in pairs(changes) do copy[k] = v end
  return copy
end

local function processors()
  local list, n = {1}, core.get_threads()
  for i = 2, n do list[i] = i end
  return list
end

local sweeps = {
  {name = "batch-small", title = "39-5-5-2: rows in a batch", points = powers(1, 4096),
    case = function(x) return with(SMALL, {batch = x}) end, work = flops},
  {name = "batch-large", title = "784-512-512-10: rows in a batch", points = powers(1, 1024),
    case = function(x) return with(LARGE, {batch = x}) end, work = flops},
  {name = "width", title = "64-n-n-10, batch 64: units n", points = powers(4, 2048),
    case = function(x)
      return {columns = 64, widths = {x, x}, classes = 10, batch = 64}
    end, work = flops},
  {name = "depth", title = "64, then n layers of 64, batch 64: layers n", points = powers(1, 128),
    case = function(x)
      return {columns = 64, widths = fill(64, x), classes = 10, batch = 64}
    end, work = flops},
  {name = "rows", title = "39-5-5-2, batch 32: rows of the data (time of an epoch)",
    points = powers(1024, 1024 * 1024, 4), whole = true,
    case = function(x) return with(SMALL, {rows = x}) end, work = function(c) return c.rows end},
  {name = "threads", title = "784-512-512-10, batch 128: threads", points = processors(),
    case = function(x) return with(LARGE, {threads = x}) end,
    work = function(c) return flops(c) / c.threads end},
}

-- The line a + b x of least relative error (weights 1 / y^2), as a fixed cost and a slope.
local function line(list)
  local s, sx, sxx, sy, sxy = 0, 0, 0, 0, 0
  for _, p in ipairs(list) do
    local w = 1 / p.seconds ^ 2
    s, sx, sxx = s + w, sx + w * p.work, sxx + w * p.work ^ 2
    sy, sxy = sy + w * p.seconds, sxy + w * p.work * p.seconds
  end
  local det = s * sxx - sx * sx
  if #list < 3 or det == 0 then return nil end
  local b = (s * sxy - sx * sy) / det
  return (sy - b * sx) / s, b
end

local function run(sweep)
  local list = {}
  for i, x in ipairs(sweep.points) do
    if quick and i > 3 then break end
    local c = sweep.case(x)
    local seconds, steps = step_seconds(c)
    list[i] = {x = x, seconds = sweep.whole and seconds * steps or seconds, work = sweep.work(c),
      gflops = flops(c) / seconds / 1e9}
    collectgarbage()
  end
  local a, b = line(list)
  for _, p in ipairs(list) do p.line = a and a + b * p.work end
  return list
end

-- Writing ----------------------------------------------------------------------------------------

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "w"))
  file:write(text)
  file:close()
end

local function micro(seconds)
  return seconds and ("%.4g"):format(seconds * 1e6) or "–"
end

local function markdown(sweep, list)
  local out = {"### " .. sweep.title .. "\n\n| | µs | the line | GFLOP/s |\n|---:|---:|---:|---:|"}
  for _, p in ipairs(list) do
    out[#out + 1] = ("| %d | %s | %s | %.3g |"):format(p.x, micro(p.seconds), micro(p.line),
      p.gflops)
  end
  return table.concat(out, "\n") .. "\n"
end

local SCRIPT = [[
set terminal pngcairo noenhanced size 900,420 font 'Sans,11' background rgb 'white'
set output '%s'
set border 3 lw 1 lc rgb '#444444'
set tics out nomirror textcolor rgb '#222222'
set grid ytics lt 1 lc rgb '#DDDDDD' lw 1
set logscale xy
set xlabel '%s'
set ylabel 'µs'
set key left top
$points << EOD
%s
EOD
plot $points using 1:2 with linespoints lc rgb '#0072B2' lw 2 pt 7 title 'measured'%s
]]

local function draw(sweep, list)
  local points = {}
  for i, p in ipairs(list) do
    points[i] = ("%d %.6g %s"):format(p.x, p.seconds * 1e6,
      p.line and p.line > 0 and ("%.6g"):format(p.line * 1e6) or "NaN")
  end
  local second = list[1].line
    and ", $points using 1:3 with lines lc rgb '#D55E00' lw 2 dt (10,6) title 'fixed + linear'"
    or ""
  local script = os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(SCRIPT:format(("%s/%s.png"):format(folder, sweep.name), sweep.title,
    table.concat(points, "\n"), second))
  file:close()
  os.execute("gnuplot " .. script)
  os.remove(script)
end

core.sys.mkdir(folder)
local report, text = {}, {}
for _, sweep in ipairs(sweeps) do
  if not next(wanted) or wanted[sweep.name] then
    local list = run(sweep)
    report[sweep.name] = {title = sweep.title, points = list}
    text[#text + 1] = markdown(sweep, list)
    print(text[#text])
    draw(sweep, list)
  end
end
write("growth.json", core.json.encode(report) .. "\n")
write("growth.md", table.concat(text, "\n"))
