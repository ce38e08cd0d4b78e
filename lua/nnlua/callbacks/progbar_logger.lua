-- Prints the progress bar of fit, evaluate and predict.
--
-- It listens to time, not to batches: the trainer calls `on_progress` at most some 20 times a
-- second, so a fast epoch costs one or two redraws and calls Lua no more often.

local args = require "nnlua.args"
local Callback = require "nnlua.callbacks.callback"
local logs_of = require "nnlua.logs"
local Progbar = require "nnlua.progbar"
local terminal = require "nnlua.terminal"

---@class nn.callbacks.ProgbarLogger: nn.callbacks.Callback
local ProgbarLogger = Callback:extend("ProgbarLogger")

--- `options` (may be nil): writer, clock and style of the bar; standard output's by default.
function ProgbarLogger:init(options)
  self.options = options or {}
  self.verbose, self.epochs, self.seen = 1, 1, 0
  self.in_fit = false
end

function ProgbarLogger:set_params(params)
  self.params = params
  self.verbose = params.verbose == nil and 1 or params.verbose
  if self.verbose == "auto" or self.verbose == true then self.verbose = 1 end
  if self.verbose == false then self.verbose = 0 end
  self.epochs = params.epochs or 1
  self.target = params.steps
end

--- A resumed fit draws a new bar.
function ProgbarLogger.get_state() end

-- One line an epoch needs the number of batches only where it is not known.
function ProgbarLogger:wants_progress()
  return self.verbose == 1 or (self.verbose == 2 and not self.target)
end

local function begin(self)
  self.seen = 0
  self.progbar = Progbar {
    self.target or args.None, verbose = self.verbose, writer = self.options.writer,
    clock = self.options.clock, style = self.options.style,
  }
end

local function pairs_of(logs)
  local list = {}
  for _, key in ipairs(logs_of.keys(logs)) do
    if type(logs[key]) == "number" then list[#list + 1] = {key, logs[key]} end
  end
  return list
end

local function finish(self, logs)
  if not self.progbar then return end
  if not self.target then
    self.target = self.seen
    self.progbar.target = self.target
  end
  self.progbar:update(self.target, pairs_of(logs), true)
end

function ProgbarLogger:on_train_begin() self.in_fit = true end

function ProgbarLogger:on_train_end() self.in_fit = false end

function ProgbarLogger:on_epoch_begin(epoch)
  begin(self)
  if self.verbose ~= 0 and self.epochs > 1 then
    (self.options.writer or terminal.write)(("Epoch %d/%d\n"):format(epoch, self.epochs))
  end
end

function ProgbarLogger:on_epoch_end(_, logs) finish(self, logs) end

-- Validation inside fit prints nothing of its own.
function ProgbarLogger:on_test_begin()
  self.validating = self.in_fit
  if not self.in_fit then begin(self) end
end

function ProgbarLogger:on_test_end(logs)
  self.validating = false
  if not self.in_fit then finish(self, logs) end
end

function ProgbarLogger:on_predict_begin() begin(self) end

function ProgbarLogger:on_predict_end() finish(self, {}) end

--- `batch` batches are done; `logs` are the means so far.
function ProgbarLogger:on_progress(batch, logs)
  if self.validating then return end
  if not self.progbar then begin(self) end
  self.seen = batch
  if self.verbose == 1 then self.progbar:update(batch, pairs_of(logs), false) end
end

return ProgbarLogger
