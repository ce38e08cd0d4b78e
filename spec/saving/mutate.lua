-- nnlua spec/saving/mutate.lua RUNS FOLDER [FIRST]: breaks sample files in RUNS ways and loads each
-- (mutate_worker.lua) in processes of their own, under limits. Never allowed: a crash, more than
-- two seconds, memory beyond the limit, a model that a failed load has changed, an error that does
-- not say where. The numbers decide everything, so FIRST makes a finding again.

local core = require "nnlua.core"

local runs, folder = math.tointeger(tonumber(arg[1])) or 300, arg[2] or os.tmpname() .. "-mutate"
local first = math.tointeger(tonumber(arg[3] or os.getenv "MUTATE_SEED")) or 1
local program, here = arg[-1] or "nnlua", arg[0]:match "^(.*)/" or "."
local portion = 500 -- files a process

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function lines(command)
  local pipe, list = assert(io.popen(command)), {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

os.execute("mkdir -p " .. quote(folder))

-- The samples: those of this project, and Keras's where they are beside it.
local shared = os.getenv "NNLUA_SHARED" or "../shared"
local sources = lines("ls " .. quote(here) .. "/../files/* " .. quote(shared)
  .. "/conformance/training/files/*.* 2>/dev/null")
local list = {}
for _, path in ipairs(sources) do
  if not path:find "%.json$" then list[#list + 1] = quote(path) end
end
list = table.concat(list, " ")

local function read(path)
  local file = io.open(path)
  local text = file and file:read "a" or ""
  if file then file:close() end
  return text
end

local found, loaded, refused = 0, 0, 0

local function tell(line)
  found = found + 1
  print(line)
end

-- One process; gives the number to go on with.
local function work(from, to)
  local log = folder .. "/log"
  local command = "LUA_PATH=%s timeout -k 5 600 %s %s/mutate_worker.lua %s %d %d %s >%s 2>&1"
  command = command:format(quote(here .. "/?.lua;;"), quote(program), quote(here), quote(folder),
    from, to, list, quote(log))
  local _, how, code = os.execute(command)
  local text = read(log)
  for line in text:gmatch "FOUND [^\n]*" do tell(line) end
  local more, less = text:match "DONE (%d+) loaded, (%d+) refused"
  if more then
    loaded, refused = loaded + more, refused + less
    if code ~= 0 then tell(("FOUND %d to %d: at the end: %s"):format(from, to, text:sub(-2000))) end
    return to + 1
  end
  local at = math.tointeger(tonumber(read(folder .. "/number"))) or from
  tell(("FOUND %d: the process ended by %s %d: %s"):format(at, how, code, text:sub(-3000)))
  return math.max(at, from) + 1
end

local start = core.sys.clock()
local from, last = first, first + runs - 1
while from <= last do from = work(from, math.min(from + portion - 1, last)) end
print(("%d files: %d loads succeeded, %d were refused, %d findings, %.0f seconds"):format(runs,
  loaded, refused, found, core.sys.clock() - start))
os.exit(found == 0 and 0 or 1)
