-- Holds the shape of the house: nnlua tools/layers.lua [folder]
--
-- An arrow points down only: core <- ops <- model <- lua <- host <- main, io uses core alone. Lua's
-- headers appear in src/lua and src/host, CBLAS's in the GEMM front. nnlua.core is required below
-- lua/nnlua only. Files stay under 500 lines and lines under 100 columns; a longer file, or one
-- with longer lines, says why in a comment "longer than ... because" in its first lines.

local root = arg[1] or "."

-- What the files of a folder may include, beside their own folder.
local allowed = {
  core = {},
  io = {core = true},
  ops = {core = true},
  model = {core = true, ops = true},
  lua = {core = true, ops = true, model = true, io = true},
  host = {core = true, lua = true, nnlua = true},
  program = {nnlua = true},
  main = {nnlua = true, program = true},
}

local lua_header = {["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true, ["lua.hpp"] = true}

local problems = 0

local function report(where, ...)
  problems = problems + 1
  print(("%s: "):format(where) .. string.format(...))
end

local function files(folder, pattern)
  local list = {}
  local pipe = io.popen(("find %s/%s -type f -name '%s' 2>/dev/null | sort"):format(
    root, folder, pattern))
  for path in pipe:lines() do list[#list + 1] = path:sub(#root + 2) end
  pipe:close()
  return list
end

--- The layer of a source: "core" for src/core/x.c, "main" for src/main.c.
local function layer_of(path)
  return path:match "^src/([%w_]+)/" or path:match "^src/([%w_]+)%.[ch]$"
end

local function check_include(where, layer, target)
  if lua_header[target] and layer ~= "lua" and layer ~= "host" then
    report(where, "%s belongs to src/lua and src/host", target)
  end
  if target:find "^cblas" and where:match "src/core/gemm" == nil then
    report(where, "cblas belongs to the GEMM front")
  end
end

local function check_own_include(where, layer, target)
  local to = target:match "^([%w_]+)/" or target:match "^([%w_]+)%.h$"
  if target ~= "nnlua.h" and not target:find("/", 1, true) then
    report(where, "include \"%s\" by its path from src/", target)
  elseif to ~= layer and not (allowed[layer] and allowed[layer][to]) then
    report(where, "%s must not include %s (\"%s\")", layer, to, target)
  end
end

local function check_c(path, line, where)
  local layer = layer_of(path)
  if not layer or path == "src/nnlua.h" then return end
  local system = line:match "^%s*#%s*include%s*<([^>]+)>"
  local own = line:match '^%s*#%s*include%s*"([^"]+)"'
  if system then check_include(where, layer, system) end
  if own then check_own_include(where, layer, own) end
end

--- Examples, benchmarks and tools are users: they require nnlua, never its core.
local function check_lua(path, line, where)
  local module = line:match "require%s*%(?%s*[\"']([%w_.]+)[\"']"
  if not module then return end
  if module == "nnlua.core" and path:find "^examples/" then
    report(where, "an example requires nnlua alone, not %s", module)
  elseif path:find "^lua/nnlua/" and not module:find "^nnlua%f[%W]" then
    report(where, "the library requires its own modules alone, not %s", module)
  end
end

local function check_file(path, check)
  local count, excused = 0, false
  for line in io.lines(root .. "/" .. path) do
    count = count + 1
    if count <= 20 and line:find "longer than .* because" then excused = true end
    local where = ("%s:%d"):format(path, count)
    local columns = utf8.len(line) or #line
    if columns > 100 and not excused then report(where, "%d columns, at most 100", columns) end
    if check then check(path, line, where) end
  end
  if count > 500 and not excused then report(path, "%d lines, at most 500", count) end
end

local checked = 0
local function check_all(folders, pattern, check)
  for _, folder in ipairs(folders) do
    for _, path in ipairs(files(folder, pattern)) do
      checked = checked + 1
      check_file(path, check)
    end
  end
end

check_all({"src", "spec", "examples", "tools", "bench"}, "*.[ch]", check_c)
check_all({"lua", "spec", "examples", "tools", "bench"}, "*.lua", check_lua)
print(("layers: %d files, %d problems"):format(checked, problems))
os.exit(problems == 0)
