-- A folder for the files that a spec writes:
--
--   setup(function() folder = scratch.make() end)
--   teardown(function() scratch.remove(folder) end)

local core = require "nnlua.core"

local scratch = {}

--- The path of a new, empty folder.
function scratch.make()
  local folder = os.tmpname()
  os.remove(folder)
  assert(core.sys.mkdir(folder))
  return folder
end

--- Removes it and all that is in it.
function scratch.remove(folder)
  assert(folder and #folder > 1, "scratch.remove: no folder")
  assert(os.execute(("rm -rf '%s'"):format(folder)))
end

--- Runs f(folder) with a folder that goes away afterwards.
function scratch.with(f)
  local folder = scratch.make()
  local ok, message = pcall(f, folder)
  scratch.remove(folder)
  if not ok then error(message, 0) end
end

return scratch
