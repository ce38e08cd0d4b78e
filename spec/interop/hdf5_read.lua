-- nnlua spec/interop/hdf5_read.lua FOLDER: reads the files of hdf5_make.py and compares every name,
-- shape, value and attribute with what h5py wrote; then writes files for hdf5_check.py.

require "nnlua"
local core = require "nnlua.core"

local folder = arg[1]
local passed, failed = 0, 0

local function read_text(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function check(ok, ...)
  if ok then
    passed = passed + 1
    return
  end
  failed = failed + 1
  print("FAILED " .. table.concat({...}, " "))
end

local function flat(v)
  if type(v) ~= "table" then return {v} end
  return v
end

local function same(wanted, got)
  if #wanted ~= #got then return false end
  for i, v in ipairs(wanted) do
    if v ~= got[i] and not (v ~= v and got[i] ~= got[i]) then return false end
  end
  return true
end

local function index(node, path, list)
  list[path] = node
  for _, child in ipairs(node.children or {}) do
    index(child, path == "" and child.name or path .. "/" .. child.name, list)
  end
  return list
end

local function compare(name, file, objects)
  local nodes = index(file:tree(), "", {})
  for path in pairs(nodes) do check(objects[path], name, path, "is not in the file") end
  for path, o in pairs(objects) do
    local node = nodes[path]
    check(node, name, path, "is missing")
    for key, v in pairs(node and o.attributes or {}) do
      local got = node.attributes[key]
      check(got ~= nil and same(flat(v), flat(got)), name, path, "attribute", key)
    end
    if node and o.values then
      check(same(o.shape, node.shape), name, path, "shape")
      local t = file:read(path)
      check(t and same(o.values, core.reshape(t, {t.size}):totable()), name, path, "values")
    end
  end
end

-- "one|or another"
local function matches(text, patterns)
  for pattern in patterns:gmatch "[^|]+" do
    if text:find(pattern, 1, true) or text:find(pattern) then return true end
  end
  return false
end

for _, case in ipairs(core.json.decode(read_text(folder .. "/hdf5.json"))) do
  local ok, file = pcall(core.hdf5.open, folder .. "/" .. case.file)
  if case.error ~= core.json.null then
    check(not ok and matches(file, case.error), case.file, "wanted the error", case.error, "got",
      tostring(file))
  elseif not ok then
    check(false, file)
  else
    compare(case.file, file, case.objects)
    file:close()
  end
end
print(("hdf5: %d comparisons with h5py, %d differ"):format(passed + failed, failed))

-- what the library writes -------------------------------------------------------------------------

local function tensor(shape, dtype)
  local n = 1
  for _, d in ipairs(shape) do n = n * d end
  local list = {}
  for i = 1, n do list[i] = (i * 37) % 101 - (dtype == "uint8" and 0 or 40) end
  return core.reshape(core.new(list, dtype), shape)
end

local items, expected = {}, {}

local function add(path, shape, dtype, as)
  local t = tensor(shape, dtype)
  items[#items + 1] = {"tensor", path, t, as}
  expected[path] = {shape = core.json.array(shape), dtype = as or dtype,
    values = core.json.array(core.reshape(t, {t.size}):totable())}
end

for i, shape in ipairs {{}, {1}, {3}, {2, 3}, {2, 3, 4, 5}, {70, 50}} do
  for _, dtype in ipairs {"float32", "int32", "uint8"} do
    add(("shapes/%s/%d"):format(dtype, i), shape, dtype)
  end
  add("shapes/int64/" .. i, shape, "int32", "int64")
end
for i = 1, 600 do add(("many/layer_%d/vars/0"):format(i), {2}, "float32") end
local deep = "deep"
for i = 1, 50 do deep = deep .. "/g" .. i end
add(deep .. "/x", {2}, "float32")

local attributes = {{"text", "", "text", "über"}, {"text", "", "empty", ""},
  {"text", "many", "long", ("x"):rep(200000)}, {"integer", "", "number", -5},
  {"texts", "deep", "names", {"a", "", "three"}}}
local names = {}
for i = 1, 3000 do names[i] = "name_" .. i end
attributes[#attributes + 1] = {"texts", "many", "list", names}
local wanted = {}
for _, item in ipairs(attributes) do
  items[#items + 1] = item
  local v = item[4]
  wanted[#wanted + 1] = {item[2], item[3], type(v) == "table" and core.json.array(v) or v}
end
core.hdf5.save(folder .. "/ours.h5", items)
local file = assert(io.open(folder .. "/ours.json", "wb"))
file:write(core.json.encode{datasets = expected, attributes = core.json.array(wanted)})
file:close()
os.exit(failed == 0 and 0 or 1)
