# /// submission
# title = "Typed-in sizes, and the time includes the test"
# style = "works on the data it was written for, and only there"
# ///

# %% data-details
n_tr = 66247
n_ts = 14904
n_feat = 120
n_class = 10

# %% callback
class TrainToAccuracy(callbacks.Callback):
    def __init__(self, threshold=0.9, patience=3):
        super().__init__()
        self.threshold=threshold
        self.patience=patience
        self.k=0
    def on_epoch_end(self, epoch, logs=None):
        if logs['val_accuracy']>self.threshold:
            self.k+=1
        else:
            self.k=0
        if self.k==self.patience:
            self.model.stop_training=True

# %% lr-loop
metrics_vs_lr=[]
for lr in [0.0001,0.001,0.01,0.1,1.0]:
    model=get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=lr),loss='sparse_categorical_crossentropy',metrics=['accuracy'])
    start=time.time()
    hist=model.fit(Xtr_scale,ytr,epochs=500,batch_size=128,validation_split=0.2,callbacks=[TrainToAccuracy(0.95,3)],verbose=0)
    score=model.evaluate(Xts_scale,yts,verbose=0)
    train_time=time.time()-start
    metrics_vs_lr.append({'batch_size':128,'learning_rate':lr,'epochs':len(hist.history['loss']),'test_accuracy':score[1],'train_time':train_time})

# %% lr-plots
x=[str(m['learning_rate']) for m in metrics_vs_lr]
plt.figure(figsize=(15,4))
for i,(k,l) in enumerate([('train_time','time (s)'),('test_accuracy','test accuracy'),('epochs','epochs')]):
    plt.subplot(1,3,i+1)
    plt.bar(x,[m[k] for m in metrics_vs_lr])
    plt.xlabel('learning rate')
    plt.ylabel(l)
    if k=='test_accuracy': plt.ylim(0.9,1)
plt.show()

# %% lr-comment [markdown]
# lr=1.0 takes the longest, then 0.0001. The others are about equal. The accuracy is good for all but best for 0.01.

# %% bs-loop
metrics_vs_bs=[]
for bs in [64,128,256,512,1024,2048]:
    model=get_model()
    model.compile(optimizer=optimizers.Adam(learning_rate=0.001),loss='sparse_categorical_crossentropy',metrics=['accuracy'])
    start=time.time()
    hist=model.fit(Xtr_scale,ytr,epochs=500,batch_size=bs,validation_split=0.2,callbacks=[TrainToAccuracy(0.95,3)],verbose=0)
    score=model.evaluate(Xts_scale,yts,verbose=0)
    train_time=time.time()-start
    metrics_vs_bs.append({'batch_size':bs,'learning_rate':0.001,'epochs':len(hist.history['loss']),'test_accuracy':score[1],'train_time':train_time})

# %% bs-plots
x=[str(m['batch_size']) for m in metrics_vs_bs]
plt.figure(figsize=(15,4))
for i,(k,l) in enumerate([('train_time','time (s)'),('test_accuracy','test accuracy'),('epochs','epochs')]):
    plt.subplot(1,3,i+1)
    plt.bar(x,[m[k] for m in metrics_vs_bs])
    plt.xlabel('batch size')
    plt.ylabel(l)
    if k=='test_accuracy': plt.ylim(0.9,1)
plt.show()

# %% bs-comment [markdown]
# bigger batches are faster per epoch but need more epochs
