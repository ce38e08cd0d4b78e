-- Files that are being written behind the script's back, see src/lua/behind.h. Whoever reads or
-- writes a file waits for them first, so that a script sees files as if all writes were at once.

local behind = {}

local jobs = setmetatable({}, {__mode = "k"})

--- Remembers a job; gives it back.
function behind.add(job)
  jobs[job] = true
  return job
end

--- Returns when no file is being written; what went wrong stays for the one who began it.
function behind.join()
  for job in pairs(jobs) do
    jobs[job] = nil
    job:join()
  end
end

return behind
