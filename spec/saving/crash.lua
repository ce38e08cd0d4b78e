-- nnlua spec/saving/crash.lua RUNS FOLDER: starts a training that saves itself, kills it at random
-- moments (also in the middle of a save; with half a write, a full disk, a failing fsync), starts
-- it again until it gets to its end, and compares all bits with those of an undisturbed run. The
-- runs take the trainings of crash_worker.lua in turn. CRASH_SEED repeats the same moments.

local core = require "nnlua.core"

local runs, folder = math.tointeger(tonumber(arg[1])) or 20, arg[2] or os.tmpname() .. "-crash"
local program = arg[-1] or "nnlua"
local here = arg[0]:match "^(.*)/" or "."

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local function clean()
  os.execute("rm -rf " .. quote(folder) .. " && mkdir -p " .. quote(folder))
end

-- {command=, seconds=, want=} of each training, undisturbed.
local trainings = {}
while true do
  clean()
  local command = ("%s %s %s %d >> %s 2>&1"):format(quote(program),
    quote(here .. "/crash_worker.lua"), quote(folder), #trainings + 1, quote(folder .. "/log"))
  local start = core.sys.clock()
  local _, _, status = os.execute(command)
  if status == 3 then break end -- there are no more
  local want = read(folder .. "/digest")
  if not want then
    io.stderr:write(read(folder .. "/log") or "", "crash: the training does not run\n")
    os.exit(1)
  end
  trainings[#trainings + 1] = {command = command, seconds = core.sys.clock() - start, want = want}
end

-- Faults come from a small library that is loaded first; without a compiler there are none.
local library = folder .. "-faults.so"
local faults = os.execute(("${CC:-cc} -shared -fPIC -O1 -o %s %s -ldl 2>/dev/null"):format(
  quote(library), quote(here .. "/faults.c")))

math.randomseed(tonumber(os.getenv "CRASH_SEED") or os.time())
local kinds = {"kill", "full", "sync"}
local counts = {timed = 0, kill = 0, full = 0, sync = 0, starts = 0}

-- One start that something may end early.
local function disturbed(training)
  counts.starts = counts.starts + 1
  if faults and math.random() < 0.5 then
    local kind = kinds[math.random(#kinds)]
    counts[kind] = counts[kind] + 1
    os.execute(("NN_FAULT=%s:%d LD_PRELOAD=%s %s"):format(kind, math.random(1, 90), quote(library),
      training.command))
  else
    counts.timed = counts.timed + 1
    os.execute(("timeout -s KILL %.4f %s"):format(training.seconds * math.random() * 1.1,
      training.command))
  end
end

local different = 0
for run = 1, runs do
  clean()
  local training, starts = trainings[(run - 1) % #trainings + 1], 0
  while not read(folder .. "/digest") and starts < 12 do
    disturbed(training)
    starts = starts + 1
  end
  if not read(folder .. "/digest") then os.execute(training.command) end
  local got = read(folder .. "/digest")
  if got ~= training.want then
    different = different + 1
    print(("run %d ended with other bits (%s): %s\n%s"):format(run, got or "none",
      training.command, read(folder .. "/log") or ""))
  end
end
print(("%d runs of %d trainings, %d starts (%d killed by the clock or let through, %d in a write, "
  .. "%d disks full, %d failing fsyncs): %d with other bits"):format(runs, #trainings,
  counts.starts, counts.timed, counts.kill, counts.full, counts.sync, different))
os.execute("rm -rf " .. quote(folder) .. " " .. quote(library))
os.exit(different == 0 and 0 or 1)
