-- A few rounds of the crash test; `make crash` runs a thousand.

local run = require "spec.support.run"
local scratch = require "spec.support.scratch"

describe("a training that is killed", function()
  it("goes on and ends with the same bits", function()
    local folder = scratch.make()
    finally(function() scratch.remove(folder) end)
    local out, err, status = run{"spec/saving/crash.lua", "20", folder .. "/crash"}
    assert.equal(0, status, out .. err)
    assert.is_truthy(out:find("20 runs", 1, true))
  end)
end)
