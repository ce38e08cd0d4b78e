-- Where the published data sets lie. Nothing is downloaded: a path that is given, or the folders in
-- which Keras keeps what it downloaded ($KERAS_HOME/datasets, ~/.keras/datasets).

local core = require "nnlua.core"
local err = require "nnlua.err"

local files = {}

--- The folder of Keras's downloads.
function files.cache()
  local home = os.getenv("KERAS_HOME")
  if not home or home == "" then home = (os.getenv("HOME") or ".") .. "/.keras" end
  return home .. "/datasets"
end

--- `path` if it is given, else the first of `names` in the cache; raises when it is not there.
--- wanted: what the file or folder should be, for the message.
function files.find(name, path, names, wanted)
  core.check_files(("datasets.%s.load_data"):format(name))
  if path ~= nil then
    err.check(type(path) == "string", "%s: path is %s, expected a string", name, err.show(path))
    if core.sys.exists(path) then return path end
    local kept = files.cache() .. "/" .. path
    if path:sub(1, 1) ~= "/" and core.sys.exists(kept) then return kept end
    err.raise("%s: %s is not there; wanted: %s", name, path, wanted)
  end
  for _, one in ipairs(names) do
    local at = files.cache() .. "/" .. one
    if core.sys.exists(at) then return at end
  end
  return err.raise("%s: nothing is downloaded here; get the data yourself and give load_data its "
    .. "path, or put it into %s/%s. Wanted: %s", name, files.cache(), names[1], wanted)
end

--- folder/one with one of the endings, nil when none is there.
function files.variant(folder, one, endings)
  for _, ending in ipairs(endings) do
    local at = folder .. "/" .. one .. ending
    if core.sys.exists(at) then return at end
  end
end

--- The bytes of a file.
function files.read(name, path)
  local file, why = io.open(path, "rb")
  if not file then err.raise("%s: %s", name, why) end
  local bytes = file:read("a")
  file:close()
  return bytes
end

--- Arrays of a .npz by name; raises when one is missing.
function files.arrays(name, path, wanted)
  local arrays, out = core.zip.npz(path), {}
  for i, key in ipairs(wanted) do
    out[i] = arrays[key] or err.raise("%s: %s has no array '%s'", name, path, key)
  end
  return table.unpack(out)
end

return files
