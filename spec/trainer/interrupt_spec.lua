-- Ctrl-C while fit runs, in a process of its own.

local files = require "spec.support.files"
local run = require "spec.support.run"
local scratch = require "spec.support.scratch"

local training = [[
local nn = require "nnlua"
local x, y = nn.ones{64, 4}, nn.ones{64, 1}
local model = nn.Sequential{nn.layers.Dense{8, input_shape = {4}}, nn.layers.Dense(1)}
model:compile{loss = "mse"}
local h = model:fit{x, y, epochs = 1000000000, batch_size = 8, verbose = 0, callbacks = {{
  on_epoch_begin = function(_, epoch)
    if epoch == 2 then io.stderr:write "ready\n" end
    WAIT
  end,
  on_train_end = function() print "on_train_end" end}}}
print(h.stopped, #h.history.loss > 0, #h.history.loss == #h.epoch)
model:fit{x, y, epochs = 1, verbose = 0}
print "fits again"
]]

-- Starts the script, sends `signals` SIGINTs once it trains; gives output, messages and status.
local function interrupted(text, signals)
  local folder = scratch.make()
  finally(function() scratch.remove(folder) end)
  local path = files.write(folder .. "/training.lua", text)
  local command = ([[%s %s 2>%s.ready & child=$!
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      grep -q ready %s.ready && break; sleep 0.1; done
    %s
    wait $child]]):format(run.quote(run.nnlua), path, path, path,
    ("kill -INT $child; sleep 0.3; "):rep(signals))
  return run.shell(command)
end

describe("Ctrl-C during fit", function()
  it("ends it after the step, with its History, and the script goes on", function()
    local out, _, code = interrupted(training:gsub("WAIT", ""), 1)
    assert.equal("on_train_end\ninterrupt\ttrue\ttrue\nfits again\n", out)
    assert.equal(0, code)
  end)

  it("ends an eager run too", function()
    local eager = training:gsub("WAIT", ""):gsub('loss = "mse"', 'loss = "mse", run_eagerly = true')
    local out = interrupted(eager, 1)
    assert.equal("on_train_end\ninterrupt\ttrue\ttrue\nfits again\n", out)
  end)

  it("a second time ends the program where the first is not heard", function()
    local out, _, code = interrupted(training:gsub("WAIT",
      "if epoch == 2 then while true do end end"), 2)
    assert.is_nil(out:find("fits again", 1, true))
    assert.is_true(code == 130 or code == 1, tostring(code))
  end)
end)
