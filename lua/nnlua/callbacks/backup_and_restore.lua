-- Goes on with an interrupted fit: saves the training state now and then, and the next fit with the
-- same folder starts where the last save was.
--
-- The state is the model's business: `model:save_training_state(path, {epoch=, batch=})` writes one
-- file with weights, optimizer, shuffling and random state; `model:load_training_state(path)` reads
-- it and returns {epoch=, batch=}, the epochs and batches that are done. The trainer starts after
-- `model.resume_from`, which it clears when fit ends.

local Callback = require "nnlua.callbacks.callback"
local err = require "nnlua.err"
local state_check = require "nnlua.saving.state_check"
local sys = require("nnlua.core").sys
local terminal = require "nnlua.terminal"

local NAME = "latest.weights.h5"

---@class nn.callbacks.BackupAndRestore: nn.callbacks.Callback
local BackupAndRestore = Callback:extend("BackupAndRestore", {
  args = [[backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True]],
})

--- save_freq: "epoch" or a number of batches. `double_checkpoint` keeps the save before the last
--- too. At the end of fit the files are removed unless `delete_checkpoint` is false.
function BackupAndRestore:init(a)
  for key, value in pairs(a) do self[key] = value end
  err.check(type(a.backup_dir) == "string" and a.backup_dir ~= "",
    "BackupAndRestore: backup_dir is %s, expected a folder", err.show(a.backup_dir))
  local freq = a.save_freq
  err.check(freq == "epoch" or (math.tointeger(freq) and freq > 0),
    "BackupAndRestore: save_freq is %s, expected 'epoch' or a number of batches above 0",
    err.show(freq))
  self.path = a.backup_dir:gsub("/+$", "") .. "/" .. NAME
  self.previous = self.path .. ".bkp"
  self.batches, self.last_batch, self.epoch = 0, 0, 1
end

function BackupAndRestore:wants_batches(kind)
  return kind == "train" and self.save_freq ~= "epoch"
end

local function load(self, path)
  if not sys.exists(path) then return nil end
  local ok, result = pcall(self.model.load_training_state, self.model, path)
  if ok then return result end
  return nil, err.text(result)
end

function BackupAndRestore:on_train_begin()
  if not self.model.built then
    err.raise("BackupAndRestore: the model must be built before fit")
  end
  self:settle()
  local state, message = load(self, self.path)
  if not state and sys.exists(self.previous) then
    state = load(self, self.previous)
    if state and message then
      terminal.warn("BackupAndRestore: using the older save: " .. message)
    end
  end
  if not state and message then
    err.raise("BackupAndRestore: %s; remove it to begin again", message)
  end
  self.batches, self.last_batch, self.epoch = 0, 0, 1
  self.model.resume_from = state
end

-- The write that is under way is over; what went wrong with it is told here. keep: the memory of
-- its copy is the next one's.
local function wait(self, keep)
  local job = self.job
  self.job = nil
  return job and job:wait(keep)
end

function BackupAndRestore:settle() pcall(wait, self) end

-- Training waits for the copy of the state alone, and for a write that is under way at the next
-- save.
local function save(self, epoch, batch)
  local spare = wait(self, true)
  local ok, message = sys.mkdir(self.backup_dir)
  if not ok then err.raise("BackupAndRestore: cannot make the folder %s", message) end
  self.job = self.model:save_training_state(self.path, {epoch = epoch, batch = batch,
    behind = true, spare = spare, previous = self.double_checkpoint and self.previous or nil})
end

-- The first state is on the disk before anything is done, so that a run that is killed before its
-- first save begins again as it began: with its first weights, seeds and files.
function BackupAndRestore:after_train_begin()
  local run = rawget(self.model, "fit_run")
  if self.model.resume_from or run and run.arguments.resume then return end
  save(self, run and run.first_epoch - 1 or 0, 0)
  wait(self)
end

function BackupAndRestore:on_epoch_begin(epoch) self.epoch = epoch end

-- After all callbacks, so that the state holds what they made of the batch.
function BackupAndRestore:after_train_batch_end(batch)
  if self.save_freq == "epoch" then return end
  self.batches = self.batches + (batch > self.last_batch and batch - self.last_batch or batch)
  self.last_batch = batch
  if self.batches < self.save_freq then return end
  self.batches = 0
  save(self, self.epoch - 1, batch)
end

function BackupAndRestore:after_epoch_end(epoch)
  if self.save_freq == "epoch" then save(self, epoch, 0) end
end

function BackupAndRestore:get_state()
  return {batches = self.batches, last_batch = self.last_batch}
end

function BackupAndRestore:set_state(state)
  state_check.take(self, state, {batches = "number", last_batch = "number"})
end

function BackupAndRestore:on_train_end()
  wait(self)
  if not self.delete_checkpoint then return end
  os.remove(self.path)
  os.remove(self.previous)
  os.remove(self.backup_dir) -- stays when somebody else's files are in it
end

return BackupAndRestore
