// A library in one resource group, with everything that it needs. Its data can be reached only from its own network.
targetScope = 'subscription'

@description('Name of the library, a part of the names of all resources. Only small letters and digits.')
@minLength(2)
@maxLength(8)
param name string = 'mfcc'

@description('Stage, for example dev or prod. Several stages of one library can exist side by side.')
@minLength(2)
@maxLength(6)
param stage string

param location string = deployment().location

@description('Tag of both images in the registry. Empty in the first deployment, which creates the registry.')
param imageTag string

@description('Name of the group in Entra that administers the databases.')
param administratorsName string

@description('Object id of that group. The identity of the upgrades must be a member of it; see OPERATIONS.md.')
param administratorsId string

@description('Application (client) id of the app registration that people and programs sign in with.')
param signInClientId string

@description('Secrets by name, which are written to Key Vault: signing-key, dagster-ui-client-secret, web-password, and those of recognisers.')
@secure()
param secrets object

@description('Number of days, at least 3, after which uploads, their copies and their documents are deleted. 0 keeps them.')
@minValue(0)
param retentionDays int = 30

@description('Recognisers in the order in which they are asked. Services need their secrets.')
param recognisers string = 'library,tags'

@description('1 for up to 50,000 tracks, otherwise 2. It cannot be changed later.')
@allowed([
  1
  2
])
param shardDigits int = 1

@description('If true, a daily report of the Blob inventory names the soundtracks, and the container is not listed. For very large libraries.')
param blobInventory bool = false

@description('If true, every run is a Container Apps job. If false, runs are processes of the code server.')
param jobPerRun bool = false

@description('Cores of the code server or of the job of a run, with 2 GiB of memory each.')
@allowed([
  '1.0'
  '2.0'
  '4.0'
])
param runCores string = '2.0'

@description('If true, the UI, the API and the web pages are open to the internet, behind their log-ins. It cannot be changed later.')
param publicIngress bool = false

@description('Who may see the web pages: header, whom the platform signs in; password, who knows it; off, everybody.')
@allowed([
  'header'
  'password'
  'off'
])
param webLogin string = 'header'

@description('Further names of the web pages, separated by commas, for example those of a domain of your own.')
param webHosts string = ''

@description('Addresses and networks, separated by commas, of the proxies in front of the web pages.')
param webProxies string = '100.100.0.0/16,127.0.0.1'

@description('1, or 0 to stop the web pages while nobody uses them.')
@minValue(0)
@maxValue(1)
param webReplicas int = 1

@description('If true, a Databricks workspace and the account of its tables are created, too. Their network costs money.')
param databricks bool = false

@description('Object id of the application AzureDatabricks in your tenant, which then may read the one secret of the jobs. Empty without jobs.')
param databricksReaderId string = ''

@description('Address of the workspace that does heavy work. Empty: the machine of the run does it.')
param databricksUrl string = ''

@description('Number of the job of the bundle in that workspace. The image needs the extra databricks.')
param databricksJob int = 0

var base = '${name}-${stage}'
var unique = take(uniqueString(subscription().id, base), 8)

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${base}'
  location: location
}

resource runsGroup 'Microsoft.Resources/resourceGroups@2024-03-01' = if (jobPerRun) {
  name: 'rg-${base}-runs'
  location: location
}

module logs 'modules/logs.bicep' = {
  name: 'logs'
  scope: group
  params: {
    name: 'log-${base}'
    location: location
  }
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: {
    base: base
    location: location
    jobPerRun: jobPerRun
  }
}

module network 'modules/network.bicep' = {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${base}'
    location: location
    databricks: databricks
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${name}${stage}${unique}'
    location: location
    retentionDays: retentionDays
    inventory: blobInventory
    writerId: identities.outputs.writer.principalId
    readerId: identities.outputs.reader.principalId
    pagesId: identities.outputs.pages.principalId
    subnetId: network.outputs.endpointsSubnetId
    zoneId: network.outputs.zones.blob
    workspaceId: logs.outputs.workspaceId
  }
}

module cosmos 'modules/cosmos.bicep' = {
  name: 'cosmos'
  scope: group
  params: {
    name: 'cosmos-${base}-${unique}'
    location: location
    retentionDays: retentionDays
    writerId: identities.outputs.writer.principalId
    readerId: identities.outputs.reader.principalId
    pagesId: identities.outputs.pages.principalId
    subnetId: network.outputs.endpointsSubnetId
    zoneId: network.outputs.zones.cosmos
    workspaceId: logs.outputs.workspaceId
  }
}

module sql 'modules/sql.bicep' = {
  name: 'sql'
  scope: group
  params: {
    name: 'sql-${base}-${unique}'
    location: location
    administratorsName: administratorsName
    administratorsId: administratorsId
    subnetId: network.outputs.endpointsSubnetId
    zoneId: network.outputs.zones.sql
    workspaceId: logs.outputs.workspaceId
  }
}

module postgres 'modules/postgres.bicep' = {
  name: 'postgres'
  scope: group
  params: {
    name: 'psql-${base}-${unique}'
    location: location
    dagsterId: identities.outputs.writer.principalId
    dagsterName: identities.outputs.writer.name
    subnetId: network.outputs.endpointsSubnetId
    zoneId: network.outputs.zones.postgres
    workspaceId: logs.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    // Such a name has at most 24 characters.
    name: 'kv-${name}-${unique}'
    location: location
    secrets: secrets
    writerId: identities.outputs.writer.principalId
    pagesId: identities.outputs.pages.principalId
    databricksId: databricksReaderId
    namesForPages: concat(['signing-key'], webLogin == 'header' ? ['dagster-ui-client-secret'] : [], webLogin == 'password' ? ['web-password'] : [])
    subnetId: network.outputs.endpointsSubnetId
    zoneId: network.outputs.zones.vault
    workspaceId: logs.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  scope: group
  params: {
    name: 'cr${name}${stage}${unique}'
    location: location
    pullers: [
      identities.outputs.writer.principalId
      identities.outputs.reader.principalId
      identities.outputs.pages.principalId
      identities.outputs.owner.principalId
    ]
  }
}

module environment 'modules/environment.bicep' = {
  name: 'environment'
  scope: group
  params: {
    name: 'cae-${base}'
    location: location
    subnetId: network.outputs.appsSubnetId
    publicIngress: publicIngress
    networkId: network.outputs.id
    workspaceId: logs.outputs.workspaceId
    joinerId: jobPerRun ? identities.outputs.writer.principalId : ''
  }
}

module runs 'modules/runs.bicep' = if (jobPerRun) {
  name: 'runs'
  scope: runsGroup
  params: {
    writerId: identities.outputs.writer.principalId
  }
}

// Settings of every process of the library. The address of the database depends on the identity; see the modules.
var settings = {
  MFCC_PROFILE: 'azure'
  MFCC_BLOB_URL: storage.outputs.blobUrl
  MFCC_BLOB_INVENTORY: blobInventory ? storage.outputs.inventoryRule : ''
  MFCC_COSMOS_URL: cosmos.outputs.url
  MFCC_COSMOS_DATABASE: cosmos.outputs.database
  MFCC_KEY_VAULT_URL: vault.outputs.url
  MFCC_RETENTION_DAYS: string(retentionDays)
  MFCC_RECOGNISERS: recognisers
  MFCC_SHARD_DIGITS: string(shardDigits)
}

module dagster 'modules/dagster.bicep' = if (!empty(imageTag)) {
  name: 'dagster'
  scope: group
  params: {
    location: location
    environmentId: environment.outputs.id
    registryServer: registry.outputs.server
    imageTag: imageTag
    settings: settings
    sqlServer: sql.outputs.server
    sqlDatabase: sql.outputs.database
    postgresServer: postgres.outputs.server
    storageAccount: storage.outputs.account
    vaultUrl: vault.outputs.url
    writer: identities.outputs.writer
    owner: identities.outputs.owner
    reader: identities.outputs.reader
    pages: identities.outputs.pages
    signInClientId: signInClientId
    jobPerRun: jobPerRun
    runsGroup: jobPerRun ? runs!.outputs.group : ''
    runCores: runCores
    databricksUrl: databricksUrl
    databricksJob: databricksJob
  }
}

module functions 'modules/functions.bicep' = if (!empty(imageTag)) {
  name: 'functions'
  scope: group
  params: {
    location: location
    environmentId: environment.outputs.id
    registryServer: registry.outputs.server
    imageTag: imageTag
    settings: settings
    sqlServer: sql.outputs.server
    sqlDatabase: sql.outputs.database
    reader: identities.outputs.reader
    signInClientId: signInClientId
  }
}

module web 'modules/web.bicep' = if (!empty(imageTag)) {
  name: 'web'
  scope: group
  params: {
    location: location
    environmentId: environment.outputs.id
    environmentDomain: environment.outputs.domain
    registryServer: registry.outputs.server
    imageTag: imageTag
    settings: settings
    sqlServer: sql.outputs.server
    sqlDatabase: sql.outputs.database
    vaultUrl: vault.outputs.url
    pages: identities.outputs.pages
    signInClientId: signInClientId
    login: webLogin
    hosts: webHosts
    proxies: webProxies
    minReplicas: webReplicas
  }
}

module workspace 'modules/databricks.bicep' = if (databricks) {
  name: 'databricks'
  scope: group
  params: {
    name: 'dbw-${base}'
    location: location
    managedGroupName: 'rg-${base}-databricks'
    networkId: network.outputs.id
    hostSubnet: network.outputs.databricksHostSubnet
    containerSubnet: network.outputs.databricksContainerSubnet
    subnetId: network.outputs.endpointsSubnetId
    zoneId: network.outputs.zones.databricks
    blobZoneId: network.outputs.zones.blob
    tablesName: take('stt${name}${stage}${unique}', 24)
    writerId: identities.outputs.writer.principalId
  }
}

output resourceGroup string = group.name
output registry string = registry.outputs.server
output storageAccount string = storage.outputs.account
output MFCC_BLOB_URL string = storage.outputs.blobUrl
output MFCC_COSMOS_URL string = cosmos.outputs.url
output MFCC_KEY_VAULT_URL string = vault.outputs.url
output sqlServer string = sql.outputs.server
output writerClientId string = identities.outputs.writer.clientId
output ownerName string = identities.outputs.owner.name
output ownerId string = identities.outputs.owner.principalId
output environmentDomain string = environment.outputs.domain
output tablesAccount string = databricks ? workspace!.outputs.tablesAccount : ''
output connectorId string = databricks ? workspace!.outputs.connectorId : ''
