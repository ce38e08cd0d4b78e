-- nn.callbacks: what listens to training. Modules load when first asked for.

local MODULES = {
  BackupAndRestore = "nnlua.callbacks.backup_and_restore",
  CSVLogger = "nnlua.callbacks.csv_logger",
  Callback = "nnlua.callbacks.callback",
  CallbackList = "nnlua.callbacks.list",
  EarlyStopping = "nnlua.callbacks.early_stopping",
  History = "nnlua.history",
  LambdaCallback = "nnlua.callbacks.lambda_callback",
  LearningRateScheduler = "nnlua.callbacks.learning_rate_scheduler",
  ModelCheckpoint = "nnlua.callbacks.model_checkpoint",
  ProgbarLogger = "nnlua.callbacks.progbar_logger",
  ReduceLROnPlateau = "nnlua.callbacks.reduce_lr_on_plateau",
  RemoteMonitor = "nnlua.callbacks.remote_monitor",
  SwapEMAWeights = "nnlua.callbacks.swap_ema_weights",
  TensorBoard = "nnlua.callbacks.tensorboard",
  TerminateOnNaN = "nnlua.callbacks.terminate_on_nan",
}

return setmetatable({}, {
  __index = function(t, name)
    local module = MODULES[name]
    if not module then return nil end
    local value = require(module)
    rawset(t, name, value)
    return value
  end,
})
