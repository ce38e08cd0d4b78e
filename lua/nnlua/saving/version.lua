-- The version of the files that are written here. It stands in each of them: in the metadata of
-- .keras and .safetensors, as an attribute of the root in HDF5.
--
-- 1: the first. 2: HDF5 and safetensors hold a checksum.

local err = require "nnlua.err"

local version = {number = 2, text = "2", key = "nnlua_format", checksum = "nnlua_crc32"}

--- The attribute, as core.hdf5 takes it.
function version.item() return {"text", "", version.key, version.text} end

--- Raises where a file's version (a text, a number, or nil) is later than ours.
function version.check(given, where)
  local number = tonumber(given)
  if number and number > version.number then
    err.raise("%s: the file has the format %s, which is later than this program's (%d)", where,
      tostring(given), version.number)
  end
end

return version
