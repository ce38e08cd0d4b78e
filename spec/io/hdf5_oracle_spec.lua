-- libhdf5 as the oracle of our HDF5 reader and writer: where there is a Python with h5py (the one
-- of `make interop`, or the system's), files of many kinds are compared value by value, both ways.

local run = require "spec.support.run"
local scratch = require "spec.support.scratch"

local quote = run.quote

local function find_python()
  local beside = run.nnlua:match "^(.*)/[^/]*$" or "."
  for _, python in ipairs {beside .. "/interop/venv/bin/python",
      beside .. "/../interop/venv/bin/python", "python3"} do
    if os.execute(quote(python) .. " -c 'import h5py' 2>/dev/null") then return python end
  end
end

describe("HDF5", function()
  it("is read and written as libhdf5 does", function()
    local python = find_python()
    if not python then return pending "no Python has h5py (make interop installs it)" end
    local folder = scratch.make()
    finally(function() scratch.remove(folder) end)
    local command = "%s spec/interop/hdf5_make.py %s && %s spec/interop/hdf5_read.lua %s && "
      .. "%s spec/interop/hdf5_check.py %s"
    python = quote(python)
    local pipe = io.popen("(" .. command:format(python, folder, quote(run.nnlua), folder, python,
      folder) .. ") 2>&1")
    local text = pipe:read "a"
    local ok = pipe:close()
    assert.is_true(ok, text)
    assert.matches("hdf5: %d+ comparisons with h5py, 0 differ", text)
    assert.matches("comparisons with what nnlua wrote, 0 differ", text)
  end)
end)
