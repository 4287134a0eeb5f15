# /// submission
# title = "CPU runtime: the clock alone, three plots"
# style = "time.time around fit, no energy key, plt.subplot state interface"
# ///

# %% data-details
n_tr = len(Xtr_scale)
n_ts = len(Xts_scale)
n_feat = len(Xtr_scale[0])
n_class = len(set(ytr))

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        self.threshold=threshold
        self.patience=patience
        self.count=0
    def on_epoch_end(self, epoch, logs={}):
        acc=logs.get('val_accuracy')
        if acc>self.threshold:
            self.count+=1
            if self.count==self.patience:
                print('Target reached in epoch', epoch+1)
                self.model.stop_training=True
        else:
            self.count=0

# %% lr-loop
lrs=[0.0001,0.001,0.01,0.1,1.0]
batch_size=128
metrics_vs_lr=[]
for lr in lrs:
    print('learning rate', lr)
    model=get_model()
    opt=optimizers.Adam(learning_rate=lr)
    model.compile(optimizer=opt, loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    start=time.time()
    hist=model.fit(Xtr_scale, ytr, epochs=500, batch_size=batch_size, validation_split=0.2,
                   callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    train_time=time.time()-start
    score=model.evaluate(Xts_scale, yts)
    metrics_vs_lr.append({'batch_size':batch_size, 'learning_rate':lr, 'epochs':len(hist.history['val_accuracy']),
                          'test_accuracy':score[1], 'train_time':train_time})

# %% lr-plots
x=[str(m['learning_rate']) for m in metrics_vs_lr]
plt.figure(figsize=(15,4))
plt.subplot(1,3,1)
sns.barplot(x=x, y=[m['train_time'] for m in metrics_vs_lr])
plt.xlabel('learning rate')
plt.ylabel('time to accuracy (s)')
plt.subplot(1,3,2)
acc=[m['test_accuracy'] for m in metrics_vs_lr]
sns.barplot(x=x, y=acc)
plt.ylim(min(acc)-0.01, max(acc)+0.01)
plt.xlabel('learning rate')
plt.ylabel('test accuracy')
plt.subplot(1,3,3)
sns.barplot(x=x, y=[m['epochs'] for m in metrics_vs_lr])
plt.xlabel('learning rate')
plt.ylabel('epochs')
plt.tight_layout()

# %% bs-loop
bss=[64,128,256,512,1024,2048]
lr=0.001
metrics_vs_bs=[]
for batch_size in bss:
    print('batch size', batch_size)
    model=get_model()
    opt=optimizers.Adam(learning_rate=lr)
    model.compile(optimizer=opt, loss='sparse_categorical_crossentropy', metrics=['accuracy'])
    start=time.time()
    hist=model.fit(Xtr_scale, ytr, epochs=500, batch_size=batch_size, validation_split=0.2,
                   callbacks=[TrainToAccuracy(threshold=0.95, patience=3)])
    train_time=time.time()-start
    score=model.evaluate(Xts_scale, yts)
    metrics_vs_bs.append({'batch_size':batch_size, 'learning_rate':lr, 'epochs':len(hist.history['val_accuracy']),
                          'test_accuracy':score[1], 'train_time':train_time})

# %% bs-plots
x=[str(m['batch_size']) for m in metrics_vs_bs]
plt.figure(figsize=(15,4))
plt.subplot(1,3,1)
sns.barplot(x=x, y=[m['train_time'] for m in metrics_vs_bs])
plt.xlabel('batch size')
plt.ylabel('time to accuracy (s)')
plt.subplot(1,3,2)
acc=[m['test_accuracy'] for m in metrics_vs_bs]
sns.barplot(x=x, y=acc)
plt.ylim(min(acc)-0.01, max(acc)+0.01)
plt.xlabel('batch size')
plt.ylabel('test accuracy')
plt.subplot(1,3,3)
sns.barplot(x=x, y=[m['epochs'] for m in metrics_vs_bs])
plt.xlabel('batch size')
plt.ylabel('epochs')
plt.tight_layout()
