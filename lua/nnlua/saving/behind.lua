-- Files that are being written behind the script's back, see src/lua/behind.h: one after the other,
-- in the order of the calls. Whoever reads a file or writes one himself waits for them first, so
-- that a script sees files as if all writes were at once.

local core = require "nnlua.core"

local behind = {}

--- What stands behind the name of a file that a later save replaced and kept.
behind.previous = ".bkp"

local jobs = setmetatable({}, {__mode = "k"}) -- those that nobody has waited for
local newest = setmetatable({}, {__mode = "v"})

local function add(job)
  jobs[job], newest[1] = true, job
  return job
end

--- Writes a block; gives the job. previous: the name that the file which it replaces gets.
function behind.file(path, block, previous)
  return add(core.behind.file(path, block, previous, newest[1]))
end

--- Writes an archive of {{name, text or block}, ...}.
function behind.zip(path, members, previous)
  return add(core.behind.zip(path, members, previous, newest[1]))
end

--- Returns when no file is being written; what went wrong stays for the one who began it.
function behind.join()
  for job in pairs(jobs) do
    jobs[job] = nil
    job:join()
  end
end

return behind
