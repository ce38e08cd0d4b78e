-- A few hundred broken files; `make mutate` breaks many more. Under strace, loading opens no file
-- but the one that it was given, starts no program and talks to nobody.

local files = require "spec.support.files"
local run = require "spec.support.run"
local scratch = require "spec.support.scratch"

local program, read = run.nnlua, files.read
local folder

setup(function() folder = scratch.make() end)

teardown(function() scratch.remove(folder) end)

describe("a broken file", function()
  it("loads or gives an error that says where", function()
    local command = "'%s' spec/saving/mutate.lua 300 '%s' > '%s/out'"
    local ok = os.execute(command:format(program, folder, folder))
    assert.is_true(ok, read(folder .. "/out"))
    assert.matches("300 files: %d+ loads succeeded, %d+ were refused, 0 findings",
      read(folder .. "/out"))
  end)

  it("makes the loader open nothing else", function()
    if not os.execute "strace -qq -e trace=none true >/dev/null 2>&1" then
      return pending "there is no strace that may trace"
    end
    local samples = {}
    for _, ending in ipairs {".h5", ".keras", ".npz", ".safetensors", ".weights.h5"} do
      samples[#samples + 1] = "spec/files/v1" .. ending
    end
    local marks = folder .. "/marks" -- is not there
    -- LeakSanitizer cannot work where strace does; the spec above looks for leaks
    local command = "LUA_PATH='spec/saving/?.lua;;' MUTATE_MARKS='%s' "
      .. "ASAN_OPTIONS=\"$ASAN_OPTIONS:detect_leaks=0\" strace -f -qq -o '%s/trace' "
      .. "-e trace=file,network,process '%s' spec/saving/mutate_worker.lua '%s' 1 60 %s > '%s/out'"
    local ok = os.execute(command:format(marks, folder, program, folder,
      table.concat(samples, " "), folder))
    assert.is_true(ok, read(folder .. "/out"))
    local inside, loads, opened = false, 0, 0
    for line in io.lines(folder .. "/trace") do
      if line:find(marks .. "/begin", 1, true) then
        inside, loads = true, loads + 1
      elseif line:find(marks .. "/end", 1, true) then
        inside = false
      elseif inside and not line:find('%(%d+, "",') then -- about a file that is open
        assert.truthy(line:find(folder .. "/case", 1, true), line)
        if line:find "open" then
          opened = opened + 1
          assert.truthy(line:find("O_RDONLY", 1, true), line)
        end
      end
    end
    assert.is_true(loads >= 120 and opened >= loads, ("%d loads, %d opened"):format(loads, opened))
  end)
end)
