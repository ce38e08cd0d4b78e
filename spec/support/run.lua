-- Runs the interpreter under test, and other programs, as a shell does.
--
--     local out, err, code = run {"-e", "print(1)"}
--     local out, err, code = run {"script.lua", stdin = "text", env = "LUA_INIT=x", cwd = dir}

local files = require "spec.support.files"

local run = {}

--- The interpreter that runs the specs.
run.nnlua = arg[-1]

--- Quotes a word for sh.
function run.quote(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

local function taken(path)
  local text = files.read(path)
  os.remove(path)
  return text
end

--- Runs a shell command; gives its standard output, its standard error and its exit status (128 + n
--- after signal n).
function run.shell(command, stdin)
  local base = os.tmpname()
  files.write(base, stdin or "")
  command = ("{ %s\n} <%s >%s.out 2>%s.err"):format(command, base, base, base)
  local _, how, code = os.execute(command)
  os.remove(base)
  return taken(base .. ".out"), taken(base .. ".err"), how == "signal" and 128 + code or code
end

local function absolute(path)
  if path:sub(1, 1) == "/" then return path end
  return os.getenv "PWD" .. "/" .. path
end

setmetatable(run, {__call = function(_, words)
  local quoted = {run.quote(absolute(run.nnlua))}
  for i, word in ipairs(words) do quoted[i + 1] = run.quote(word) end
  local command = (words.env and "env " .. words.env .. " " or "") .. table.concat(quoted, " ")
  if words.cwd then command = "cd " .. run.quote(words.cwd) .. " && " .. command end
  return run.shell(command, words.stdin)
end})

return run
